"""The sockets of the tests' client: closed also if the API server is killed while they connect."""

from __future__ import annotations

import ssl

from urllib3.util.ssl_ import create_urllib3_context


class ClosingSocket(ssl.SSLSocket):
    """A socket that closes itself if the server resets the connection before the handshake.

    `SSLSocket._create` then reads one byte, and its error leaves the socket to the garbage collector.
    """

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Read from the socket; close it if the connection is broken."""
        try:
            return super().recv(buflen, flags)
        except ConnectionError:
            self.close()
            raise


def client_context() -> ssl.SSLContext:
    """Return a context for urllib3, which adds the certificates."""
    context = create_urllib3_context()
    context.sslsocket_class = ClosingSocket
    return context
