"""Run in a tenant's pod: calls the DB manager for the trial of another tenant, with each token.

`python attacker.py NAMESPACE TRIAL POD_UID` prints a JSON object: the gRPC code of each
attack, "OK" for one that succeeded.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc

from api.trialwatchv1 import observations_pb2 as ours
from api.trialwatchv1 import observations_pb2_grpc
from api.v1beta1 import api_pb2 as pb
from api.v1beta1 import api_pb2_grpc

HOST, SEARCH = "katib-db-manager.kubeflow", "trialwatch-suggestion.kubeflow:6788"
TOKENS = ("none", "own", "foreign", "namesake", "manager", "account")
"""The files of the tokens, and "none" for a call without one."""
_FOLDER = Path("/tokens")
_SECONDS = 20
_LAST = 2**63 - 1
Pairs = tuple[tuple[str, str], ...]
Call = Callable[[grpc.Channel, str, Pairs], object]


def report(channel: grpc.Channel, trial: str, metadata: Pairs) -> object:
    metric = pb.Metric(name="loss", value="0")
    log = pb.MetricLog(time_stamp="2026-01-31T12:00:00Z", metric=metric)
    request = pb.ReportObservationLogRequest(
        trial_name=trial, observation_log=pb.ObservationLog(metric_logs=[log])
    )
    stub = api_pb2_grpc.DBManagerStub(channel)
    return stub.ReportObservationLog(request, metadata=metadata, timeout=_SECONDS)


def read(channel: grpc.Channel, trial: str, metadata: Pairs) -> object:
    request = pb.GetObservationLogRequest(trial_name=trial)
    stub = api_pb2_grpc.DBManagerStub(channel)
    return stub.GetObservationLog(request, metadata=metadata, timeout=_SECONDS)


def delete(channel: grpc.Channel, trial: str, metadata: Pairs) -> object:
    request = pb.DeleteObservationLogRequest(trial_name=trial)
    stub = api_pb2_grpc.DBManagerStub(channel)
    return stub.DeleteObservationLog(request, metadata=metadata, timeout=_SECONDS)


def summary(channel: grpc.Channel, trial: str, metadata: Pairs) -> object:
    stub = observations_pb2_grpc.ObservationsStub(channel)
    request = ours.SummaryRequest(trial_name=trial)
    return stub.Summary(request, metadata=metadata, timeout=_SECONDS)


def watch(channel: grpc.Channel, trial: str, metadata: Pairs) -> object:
    stub = observations_pb2_grpc.ObservationsStub(channel)
    request = ours.WatchRequest(trial_name=trial)
    return next(iter(stub.Watch(request, metadata=metadata, timeout=_SECONDS)))


def attacks(namespace: str, pod_uid: str) -> Iterator[tuple[str, Call, Pairs]]:
    """Yield each attack: its name, its call, and its metadata."""
    theirs = (("trialwatch-namespace", namespace),)
    source = (("trialwatch-source", f"pod:{pod_uid}:1"), ("trialwatch-seq", "1"))
    yield "write", report, (*theirs, *source)
    yield "write without a source", report, theirs
    yield "write without a namespace", report, ()
    yield "end", report, (*theirs, *source, ("trialwatch-outcome", "stopped"))
    own = (("trialwatch-source", f"pod:{os.environ['POD_UID']}:1"), source[1])
    yield "squat", report, own
    yield "write from another pod", report, (*theirs, *own)
    yield "poison", report, (*theirs, source[0], ("trialwatch-seq", str(_LAST)))
    for name, call in (("read", read), ("delete", delete), ("summary", summary), ("watch", watch)):
        yield name, call, theirs
        yield f"{name} without a namespace", call, ()


def stop(channel: grpc.Channel, trial: str, metadata: Pairs) -> object:
    stub = api_pb2_grpc.EarlyStoppingStub(channel)
    request = pb.SetTrialStatusRequest(trial_name=trial)
    return stub.SetTrialStatus(request, metadata=metadata, timeout=_SECONDS)


def suggest(channel: grpc.Channel, trial: str, metadata: Pairs) -> object:
    del trial
    stub = api_pb2_grpc.SuggestionStub(channel)
    return stub.GetSuggestions(pb.GetSuggestionsRequest(), metadata=metadata, timeout=_SECONDS)


def code_of(call: Call, *given: Any) -> str:  # noqa: ANN401 - the call's own
    try:
        call(*given)
    except grpc.RpcError as error:
        return str(error.code().name)
    return "OK"


def main(namespace: str, trial: str, pod_uid: str) -> None:
    tls = grpc.ssl_channel_credentials((_FOLDER / "ca.crt").read_bytes())
    codes = {}
    with (
        grpc.secure_channel(f"{HOST}:6790", tls) as secure,
        grpc.insecure_channel(f"{HOST}:6789") as plain,
        grpc.secure_channel(SEARCH, tls) as search,
    ):
        for token in TOKENS:
            bearer: Pairs = ()
            if token != "none":
                text = (_FOLDER / token).read_text().strip()
                bearer = (("authorization", f"Bearer {text}"),)
            for way, channel in (("TLS", secure), ("plain", plain)):
                for name, call, metadata in attacks(namespace, pod_uid):
                    code = code_of(call, channel, trial, (*metadata, *bearer))
                    codes[f"{token}, {way}: {name}"] = code
            for name, call in (("stop", stop), ("suggest", suggest)):
                metadata = (("trialwatch-namespace", namespace), *bearer)
                codes[f"{token}, TLS: {name}"] = code_of(call, search, trial, metadata)
    sys.stdout.write(f"{json.dumps(codes)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
