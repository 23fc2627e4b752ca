"""A TLS context that can be reloaded: new connections get the newest certificate."""

from __future__ import annotations

import os
import ssl

from api.errors import SetupError


class ReloadingContext:
    """A server's context that stays the same object, and gives each new connection the newest one.

    Open connections keep their certificate. A key is never written to a file on a disk: OpenSSL
    reads it through a descriptor of a file in memory.
    """

    def __init__(self) -> None:
        self.context = _context()
        self._newest: ssl.SSLContext | None = None
        self.context.sni_callback = self._choose

    def load(self, certs: str, key: str) -> None:
        """Give this certificate chain to new connections; `certs` and `key` are in PEM.

        Raises:
            SetupError: the chain is not valid, or the key does not belong to it. The chain before
                stays in use.
        """
        context = _context()
        descriptor = os.memfd_create("certificate", os.MFD_CLOEXEC)
        try:
            with os.fdopen(descriptor, "w", closefd=False, encoding="utf-8") as memory:
                memory.write(f"{key}\n{certs}")
            # With an empty password OpenSSL does not ask for one on the terminal.
            context.load_cert_chain(f"/proc/self/fd/{descriptor}", password="")
        except (ssl.SSLError, ValueError) as error:
            cause = getattr(error, "reason", None) or str(error) or type(error).__name__
            raise SetupError(f"cannot use the certificate and its key: {cause}") from None
        finally:
            os.close(descriptor)
        self._newest = context

    def _choose(
        self, connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _: ssl.SSLContext
    ) -> int | None:
        """Choose the newest context; called at the start of each handshake."""
        if self._newest is None:
            return ssl.ALERT_DESCRIPTION_INTERNAL_ERROR
        connection.context = self._newest
        return None


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A resumed session would not see the new certificate, so sessions cannot be resumed.
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET
    return context
