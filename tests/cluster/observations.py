"""The rows of the database, read through the DB manager with a manager's token."""

from __future__ import annotations

import base64
import re
import subprocess
from types import TracebackType
from typing import Self

import grpc

from api.names import (
    DB_MANAGER_PORT,
    DB_MANAGER_SECRET,
    DB_MANAGER_SERVICE,
    DB_MANAGER_TLS_PORT,
    MANAGER_AUDIENCE,
    NAMESPACE_METADATA,
    OWN_CONTROLLER,
)
from api.v1beta1 import api_pb2 as pb
from api.v1beta1 import api_pb2_grpc
from tests.cluster.client import Cluster
from tests.cluster.installation import NAMESPACE

_LISTENS = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")

Rows = list[tuple[str, str]]


class Forwarded:
    """A port of a Service, by default the DB manager's, through the API server."""

    def __init__(
        self, cluster: Cluster, port: int = DB_MANAGER_PORT, service: str = DB_MANAGER_SERVICE
    ) -> None:
        where = (f"--namespace={NAMESPACE}", f"service/{service}")
        argv = cluster.argv("port-forward", *where, f":{port}")
        self._forwarder = subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            self.address = f"127.0.0.1:{self._port()}"
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End it."""
        self._forwarder.kill()
        self._forwarder.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _port(self) -> int:
        said = ""
        assert self._forwarder.stdout is not None
        for line in self._forwarder.stdout:
            said += line
            if found := _LISTENS.search(line):
                return int(found[1])
        raise AssertionError(f"cannot forward the port: {said}")


class Observations:
    """The DB manager over TLS, with a token; by default, as the controller calls it."""

    def __init__(self, cluster: Cluster, token: str = "") -> None:
        self._forwarded = Forwarded(cluster, DB_MANAGER_TLS_PORT)
        token = token or token_of(cluster, NAMESPACE, OWN_CONTROLLER, MANAGER_AUDIENCE)
        self._channel = grpc.secure_channel(
            self._forwarded.address,
            grpc.composite_channel_credentials(
                grpc.ssl_channel_credentials(authorities(cluster)),
                grpc.access_token_call_credentials(token),
            ),
            # The certificate is for the Service, and not for this end of the forwarded port.
            options=(("grpc.ssl_target_name_override", f"{DB_MANAGER_SERVICE}.{NAMESPACE}"),),
        )

    def rows(self, namespace: str, trial: str) -> Rows:
        """Return a trial's metrics, name and value, in the order in which they were written."""
        reply = api_pb2_grpc.DBManagerStub(self._channel).GetObservationLog(
            pb.GetObservationLogRequest(trial_name=trial),
            metadata=((NAMESPACE_METADATA, namespace),),
            timeout=60,
            wait_for_ready=True,
        )
        return [(log.metric.name, log.metric.value) for log in reply.observation_log.metric_logs]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._channel.close()
        self._forwarded.close()


def token_of(cluster: Cluster, namespace: str, account: str, audience: str) -> str:
    """Return a token of a service account."""
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
    spec = {"audiences": [audience], "expirationSeconds": 3600}
    return str(cluster.request("POST", path, {"spec": spec})["status"]["token"])


def authorities(cluster: Cluster) -> bytes:
    """Return the authorities of the DB manager's certificate, in PEM."""
    secret = cluster.get("secrets", NAMESPACE, DB_MANAGER_SECRET) or {}
    return base64.b64decode(secret["data"]["ca.crt"])
