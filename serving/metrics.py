"""The metrics port of a program that has no other HTTP server."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, start_http_server

from api.errors import SetupError
from serving.addresses import Address


class MetricsServer:
    """Serves `GET /metrics` on its own port, in its own thread."""

    def __init__(self, registry: CollectorRegistry, address: Address) -> None:
        """Start it.

        Raises:
            SetupError: the program cannot listen on the address.
        """
        try:
            self._server, self._thread = start_http_server(address.port, address.host, registry)
        except OSError as error:
            raise SetupError(
                f"--metrics-listen: cannot listen on {address} ({error.strerror or error});"
                " choose another, or `off`"
            ) from None
        self.address = Address(host=address.host, port=self._server.server_port)

    def close(self) -> None:
        """Stop listening, and end the thread."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
