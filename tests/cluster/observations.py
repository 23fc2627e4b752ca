"""The rows of the database, read through the DB manager."""

from __future__ import annotations

import re
import subprocess
from types import TracebackType
from typing import Self

import grpc

from api.names import NAMESPACE_METADATA
from api.v1beta1 import api_pb2 as pb
from api.v1beta1 import api_pb2_grpc
from tests.cluster.client import Cluster
from tests.cluster.installation import NAMESPACE

_LISTENS = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")
_SERVICE = "service/katib-db-manager"

Rows = list[tuple[str, str]]


class Observations:
    """The DB manager, through the API server."""

    def __init__(self, cluster: Cluster) -> None:
        argv = cluster.argv("port-forward", f"--namespace={NAMESPACE}", _SERVICE, ":6789")
        self._forwarder = subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            self.address = f"127.0.0.1:{self._port()}"
            self._channel = grpc.insecure_channel(self.address)
        except BaseException:
            self._end()
            raise

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
        self._end()

    def _port(self) -> int:
        said = ""
        assert self._forwarder.stdout is not None
        for line in self._forwarder.stdout:
            said += line
            if found := _LISTENS.search(line):
                return int(found[1])
        raise AssertionError(f"no way to the DB manager: {said}")

    def _end(self) -> None:
        self._forwarder.kill()
        self._forwarder.communicate()
