"""The rows of the database, as the DB manager gives them to a controller."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from api.names import NAMESPACE_METADATA
from api.v1beta1 import api_pb2 as pb
from api.v1beta1 import api_pb2_grpc
from tests.cluster.client import Cluster
from tests.cluster.installation import NAMESPACE

_LISTENS = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")
_SERVICE = "service/katib-db-manager"

Rows = list[tuple[str, str]]


def rows_of(cluster: Cluster, namespace: str, trial: str) -> Rows:
    """Return a trial's metrics, name and value, in the order in which they were written."""
    request = pb.GetObservationLogRequest(trial_name=trial)
    with _forwarded(cluster) as address, grpc.insecure_channel(address) as channel:
        stub = api_pb2_grpc.DBManagerStub(channel)
        reply = stub.GetObservationLog(
            request,
            metadata=((NAMESPACE_METADATA, namespace),),
            timeout=60,
            wait_for_ready=True,
        )
    return [(log.metric.name, log.metric.value) for log in reply.observation_log.metric_logs]


@contextmanager
def _forwarded(cluster: Cluster) -> Iterator[str]:
    """Give an address of this machine behind which the DB manager is."""
    argv = cluster.argv("port-forward", f"--namespace={NAMESPACE}", _SERVICE, ":6789")
    forwarder = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert forwarder.stdout is not None
        said = ""
        for line in forwarder.stdout:
            said += line
            if found := _LISTENS.search(line):
                yield f"127.0.0.1:{found[1]}"
                return
        raise AssertionError(f"no way to the DB manager: {said}")
    finally:
        forwarder.kill()
        forwarder.communicate()
