"""Asks the network proxy of a pod to end, because its container would keep the pod running.

Istio's classic proxy is an ordinary container; its agent ends it after one request from the pod.
"""

from __future__ import annotations

import socket
from typing import Final

from api.errors import Unavailable

ISTIO_QUIT: Final = ("127.0.0.1", 15020)
"""Where Istio's agent listens."""
_REQUEST: Final = (
    b"POST /quitquitquit HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n"
    b"Connection: close\r\n\r\n"
)
_SECONDS: Final = 2.0
_LONGEST_HEAD: Final = 64


class IstioProxy:
    """`collector.core.ports.NetworkProxy` of a pod with Istio's classic proxy."""

    def __init__(self, address: tuple[str, int] = ISTIO_QUIT) -> None:
        self._address = address

    def quit(self) -> None:
        """Ask the proxy to end.

        Raises:
            Unavailable: no answer within two seconds, or another answer than 200.
        """
        try:
            with socket.create_connection(self._address, _SECONDS) as connection:
                connection.sendall(_REQUEST)
                head = connection.recv(_LONGEST_HEAD)
        except OSError as error:
            raise Unavailable(f"Istio's proxy does not answer: {error}") from error
        status = head.split(b"\r\n")[0].split(b" ")
        if len(status) < len((b"HTTP/1.1", b"200")) or status[1] != b"200":
            raise Unavailable(f"Istio's proxy answered {head[:_LONGEST_HEAD]!r}")
