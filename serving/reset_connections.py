"""Closes a socket whose server resets the connection before TLS begins.

Python's `ssl` (3.11.7 at least) first asks whether the new socket is still connected. If a server
that is killed has reset the connection by then, `wrap_socket` raises ConnectionResetError and keeps
the socket open. Its caller never gets the socket, so only the garbage collector can close it.
"""

from __future__ import annotations

import ssl


class _ClosedWhenReset(ssl.SSLSocket):
    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Receive bytes as any socket does, but be closed after a reset: nothing can follow."""
        try:
            return super().recv(buflen, flags)
        except ConnectionResetError:
            self.close()
            raise


def close_when_reset(context: ssl.SSLContext) -> None:
    """Let the sockets of a client's context be closed when the server resets the connection."""
    context.sslsocket_class = _ClosedWhenReset
