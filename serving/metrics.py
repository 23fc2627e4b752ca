"""The metrics port of a program that has no other HTTP server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from prometheus_client import CollectorRegistry, start_http_server

from api.errors import SetupError
from serving.addresses import Address
from serving.every_address import EVERY_ADDRESS, host_of_all

_SECONDS: Final = 10.0
"""How long a client may be silent: each connection has a thread of its own."""


class MetricsServer:
    """Serves `GET /metrics` on its own port, in its own thread."""

    def __init__(
        self, registry: CollectorRegistry, address: Address, *, seconds: float = _SECONDS
    ) -> None:
        """Start it; a client that is silent for so many `seconds` is cut.

        Raises:
            SetupError: the program cannot listen on the address.
        """
        try:
            host = host_of_all() if address.host == EVERY_ADDRESS else address.host
            self._server, self._thread = start_http_server(address.port, host, registry)
        except OSError as error:
            raise SetupError(
                f"--metrics-listen: cannot listen on {address} ({error.strerror or error});"
                " choose another, or `off`"
            ) from None
        handler: Any = self._server.RequestHandlerClass
        self._server.RequestHandlerClass = type("TimedHandler", (handler,), {"timeout": seconds})
        self.address = Address(host=address.host, port=self._server.server_port)

    def close(self) -> None:
        """Stop listening, and end the thread."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def metrics_served(
    registry: CollectorRegistry, address: Address | None
) -> Iterator[Address | None]:
    """Serve the metrics during the body; yield the address with the number of the port, or None.

    Raises:
        SetupError: the program cannot listen on the address.
    """
    if address is None:
        yield None
        return
    server = MetricsServer(registry, address)
    try:
        yield server.address
    finally:
        server.close()
