"""The rows of trials, as Katib's programs read them: without TLS and without a token."""

from __future__ import annotations

from collections.abc import Iterable

import grpc

from api.v1beta1 import api_pb2 as pb
from api.v1beta1 import api_pb2_grpc
from tests.cluster.client import Cluster
from tests.cluster.observations import Forwarded, Rows


def rows_of(cluster: Cluster, trials: Iterable[str]) -> dict[str, Rows]:
    """Return what the DB manager behind the Service has of each trial, name and value."""
    with Forwarded(cluster) as forwarded, grpc.insecure_channel(forwarded.address) as channel:
        stub = api_pb2_grpc.DBManagerStub(channel)
        found = {}
        for trial in trials:
            request = pb.GetObservationLogRequest(trial_name=trial)
            reply = stub.GetObservationLog(request, timeout=60, wait_for_ready=True)
            logs = reply.observation_log.metric_logs
            found[trial] = [(log.metric.name, log.metric.value) for log in logs]
        return found
