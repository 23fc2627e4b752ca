"""What new connections are served with: the newest certificate, whatever the older ones have."""

from __future__ import annotations

import os
import ssl

from api.errors import SetupError


class ReloadingContext:
    """A context for a server that never changes, and hands each connection to the newest one.

    Connections that are open keep what they began with. No file ever holds a key: it goes from
    memory to OpenSSL by a file descriptor.
    """

    def __init__(self) -> None:
        self.context = _context()
        self._newest: ssl.SSLContext | None = None
        self.context.sni_callback = self._choose

    def load(self, certs: str, key: str) -> None:
        """Serve this chain from now on.

        Raises:
            SetupError: it is no chain, or the key is another's; what was served before stays.
        """
        context = _context()
        descriptor = os.memfd_create("certificate", os.MFD_CLOEXEC)
        try:
            with os.fdopen(descriptor, "w", closefd=False, encoding="utf-8") as memory:
                memory.write(f"{key}\n{certs}")
            # An empty pass phrase, lest OpenSSL ask for one on the terminal.
            context.load_cert_chain(f"/proc/self/fd/{descriptor}", password="")
        except (ssl.SSLError, ValueError) as error:
            cause = getattr(error, "reason", None) or str(error) or type(error).__name__
            raise SetupError(f"certificate and key cannot be served: {cause}") from None
        finally:
            os.close(descriptor)
        self._newest = context

    def _choose(
        self, connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _: ssl.SSLContext
    ) -> int | None:
        """Take the newest; called at the start of each handshake, with or without a name."""
        if self._newest is None:
            return ssl.ALERT_DESCRIPTION_INTERNAL_ERROR
        connection.context = self._newest
        return None


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Who takes up an old session sees no certificate at all: each is to see the newest.
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET
    return context
