"""The gRPC server: which services, which limits, which port."""

from __future__ import annotations

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from api.errors import SetupError
from api.trialwatchv1 import observations_pb2_grpc
from api.v1beta1 import api_pb2_grpc
from dbmanager.service.connection import Connection
from dbmanager.service.error_interceptor import Calls
from dbmanager.service.health import SERVICES, Health
from dbmanager.service.metrics import Metrics
from dbmanager.service.observations import Observations
from dbmanager.service.requests import MOST_BYTES
from dbmanager.service.row_notifier import News
from dbmanager.service.servicer import DBManager
from dbmanager.settings import FOUR_MEBIBYTES
from serving.addresses import Address

_OPTIONS = (
    ("grpc.max_receive_message_length", MOST_BYTES),
    ("grpc.max_send_message_length", MOST_BYTES),
    ("grpc.max_metadata_size", 64 * 1024),
    ("grpc.so_reuseport", 0),  # else two servers would share a port, and neither would say so
)


class Server:
    """All services over one store."""

    def __init__(
        self,
        connection: Connection,
        metrics: Metrics | None = None,
        *,
        max_reply: int = FOUR_MEBIBYTES,
        poll: float = 1.0,
    ) -> None:
        """Make a server; `poll` is how often, in seconds, watchers look for others' writes."""
        metrics = metrics or Metrics()
        self._news = News()
        self._server = grpc.aio.server(interceptors=[Calls(metrics)], options=_OPTIONS)
        manager = DBManager(connection, self._news, metrics, max_reply=max_reply)
        api_pb2_grpc.add_DBManagerServicer_to_server(manager, self._server)
        observations = Observations(connection, self._news, poll=poll)
        observations_pb2_grpc.add_ObservationsServicer_to_server(observations, self._server)
        health = Health(connection, self._news, period=poll)
        health_pb2_grpc.add_HealthServicer_to_server(health, self._server)
        reflection.enable_server_reflection((*SERVICES, reflection.SERVICE_NAME), self._server)

    def listen(self, address: Address, tls: grpc.ServerCredentials | None = None) -> Address:
        """Take a port; return which.

        Raises:
            SetupError: the address cannot be listened on.
        """
        try:
            if tls is None:
                port = self._server.add_insecure_port(str(address))
            else:
                port = self._server.add_secure_port(str(address), tls)
        except RuntimeError:
            raise SetupError(
                f"--listen: cannot listen on {address}: another program has the port,"
                " or it is no address of this machine"
            ) from None
        return Address(host=address.host, port=port)

    async def start(self) -> None:
        """Serve."""
        await self._server.start()

    async def stop(self, grace: float) -> None:
        """Take no more requests, and let those under way end, for at most `grace` seconds."""
        self._news.end()
        await self._server.stop(grace)
