"""`python -m suggestion` as a process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from api import names
from api.v1beta1 import api_pb2 as pb
from api.v1beta1 import api_pb2_grpc
from api.wire.experiments import experiment_to_wire
from api.wire.trials import trial_to_wire
from suggestion.core.registry import find
from suggestion.core.trial_history import PastTrial
from tests.suggestion.controller_requests import experiment, trial
from tests.suggestion.search_spaces import PLANE, built

SECONDS = 60.0


@contextmanager
def program(folder: Path, *flags: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Start it on a free port; yield the process and its address."""
    port_file, log = folder / "port", folder / "log"
    command = (sys.executable, "-m", "suggestion", "--listen", "127.0.0.1:0")
    with log.open("wb") as err:
        process = subprocess.Popen((*command, "--port-file", str(port_file), *flags), stderr=err)
    try:
        deadline = time.monotonic() + SECONDS
        while not port_file.exists():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.01)
        yield process, f"127.0.0.1:{port_file.read_text().strip()}"
    finally:
        process.kill()
        process.wait()


def test_it_answers_the_probe_and_a_request_and_ends_on_a_signal(tmp_path: Path) -> None:
    with program(tmp_path) as (process, address), grpc.insecure_channel(address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        probe = health_pb2.HealthCheckRequest(service=names.SUGGESTION_HEALTH_SERVICE)
        assert health.Check(probe, timeout=SECONDS).status == 1
        request = pb.GetSuggestionsRequest(
            experiment=experiment_to_wire(experiment()), current_request_number=2
        )
        reply = api_pb2_grpc.SuggestionStub(channel).GetSuggestions(request, timeout=SECONDS)
        assert len(reply.parameter_assignments) == 2
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0

    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [line["message"] for line in lines] == [
        "listening",
        "suggested",
        "ending: refusing new requests, finishing requests under way",
        "ended",
    ]
    assert lines[1]["experiment"] == "digits"
    assert (lines[1]["requested"], lines[1]["suggested"]) == (2, 2)


def _long_request(count: int) -> pb.GetSuggestionsRequest:
    space = built(*PLANE)
    points = find("random").make().suggest(space, (), 60, 1)
    trials = [
        trial(f"t-{i}", point, loss=point[0].value)
        for i, point in enumerate(PastTrial(assignments=p).assignments for p in points)
    ]
    asked = experiment("bayesianoptimization", PLANE, {"random_state": "1"})
    return pb.GetSuggestionsRequest(
        experiment=experiment_to_wire(asked),
        trials=map(trial_to_wire, trials),
        current_request_number=count,
        total_request_number=60 + count,
    )


def test_a_request_under_way_is_answered_before_the_end(tmp_path: Path) -> None:
    with (
        program(tmp_path, "--grace", f"{SECONDS}s") as (process, address),
        grpc.insecure_channel(address) as channel,
    ):
        future = _asked(channel, _long_request(3))
        _until_busy(process)
        process.send_signal(signal.SIGTERM)
        assert len(future.result(SECONDS).parameter_assignments) == 3
        assert process.wait(SECONDS) == 0


def test_an_endless_search_ends_after_the_grace(tmp_path: Path) -> None:
    with (
        program(tmp_path, "--grace", "100ms") as (process, address),
        grpc.insecure_channel(address) as channel,
    ):
        future = _asked(channel, _long_request(10_000))
        _until_busy(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0
        assert future.exception(SECONDS) is not None

    assert "it took longer than --grace" in (tmp_path / "log").read_text()


def _asked(channel: grpc.Channel, request: pb.GetSuggestionsRequest) -> Any:  # noqa: ANN401 - a future that grpc has no public name for
    grpc.channel_ready_future(channel).result(SECONDS)
    return api_pb2_grpc.SuggestionStub(channel).GetSuggestions.future(request, timeout=SECONDS)


def _until_busy(process: subprocess.Popen[bytes]) -> None:
    """Wait until a worker loads scikit-optimize: then the request is under way."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + SECONDS
    while not any("sklearn" in _maps(child) for child in children.read_text().split()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _maps(pid: str) -> str:
    return Path(f"/proc/{pid}/maps").read_text()


def test_a_port_that_is_taken_is_one_line_and_status_two() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = subprocess.run(
            [sys.executable, "-m", "suggestion", "--listen", address],
            capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        f"suggestion: --listen: cannot listen on {address}: another program uses the port,"
        " or this machine does not have the address"
    )


def test_outside_of_a_cluster_marking_fails_with_the_remedy(tmp_path: Path) -> None:
    with program(tmp_path) as (_, address), grpc.insecure_channel(address) as channel:
        stub = api_pb2_grpc.EarlyStoppingStub(channel)
        with pytest.raises(grpc.RpcError) as refused:
            stub.SetTrialStatus(pb.SetTrialStatusRequest(trial_name="t"), timeout=SECONDS)

    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "run in a cluster, or give --kubeconfig FILE" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "needs", "spares"),
    [
        ("random", [], ["numpy", "optuna", "scipy", "sklearn", "cmaes", "kubernetes"]),
        ("grid", [], ["numpy", "optuna", "scipy", "sklearn", "cmaes", "kubernetes"]),
        ("tpe", ["optuna"], ["sklearn", "cmaes", "kubernetes"]),
        ("cmaes", ["cmaes"], ["optuna", "sklearn", "kubernetes"]),
        ("bayesianoptimization", ["skopt"], ["optuna", "cmaes", "kubernetes"]),
    ],
)
def test_an_algorithm_loads_only_its_own_library(
    name: str, needs: list[str], spares: list[str]
) -> None:
    script = (
        "import sys; import suggestion.app; from suggestion.core.registry import find;"
        f" find({name!r}).make(); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True, text=True, timeout=SECONDS, check=True, env=dict(os.environ),
    )  # fmt: skip
    loaded = set(done.stdout.split())

    assert loaded.issuperset(needs)
    assert loaded.isdisjoint(spares)
