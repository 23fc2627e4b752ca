"""A client that was written by others, Katib's own SDK, works with this server as it is.

The SDK pins an older protobuf and registers the same proto package, so it lives in an environment
of its own, made once and kept in the user's cache, and runs in a process of its own.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dbmanager.program import Program, program

SDK = "kubeflow-katib==0.19.0"

REPORT = """
import json, os, sys
from kubeflow.katib import katib_api_pb2 as pb, katib_api_pb2_grpc as rpc, report_metrics
from kubeflow.katib.utils import utils
import grpc

# In a pod this is a file; the namespace goes into the SDK's error messages only.
utils.get_current_k8s_namespace = lambda: "default"

address = sys.argv[1]
os.environ["KATIB_TRIAL_NAME"] = "sdk-trial"
report_metrics({"loss": 0.25, "accuracy": "0.75"}, db_manager_address=address, timeout=10)

stub = rpc.DBManagerStub(grpc.insecure_channel(address))
entry = pb.MetricLog(
    time_stamp="2026-01-31T12:00:00.123456789+02:00", metric=pb.Metric(name="loss", value="0.5")
)
log = pb.ObservationLog(metric_logs=[entry])
stub.ReportObservationLog(
    pb.ReportObservationLogRequest(trial_name="sdk-trial", observation_log=log), timeout=10
)

def get(**asked):
    request = pb.GetObservationLogRequest(trial_name="sdk-trial", **asked)
    log = stub.GetObservationLog(request, timeout=10).observation_log
    return [(e.time_stamp, e.metric.name, e.metric.value) for e in log.metric_logs]

said = {
    "all": get(),
    "loss": get(metric_name="loss"),
    "until": get(end_time="2026-01-31T10:00:00.123456Z"),
    "none": get(metric_name="no-such-metric"),
}
try:
    report_metrics({"loss": 1}, db_manager_address=address + "0", timeout=1)
except RuntimeError as error:
    said["refused"] = str(error)[:60]
stub.DeleteObservationLog(pb.DeleteObservationLogRequest(trial_name="sdk-trial"), timeout=10)
said["deleted"] = get()
print(json.dumps(said))
"""


@pytest.fixture(scope="session")
def sdk() -> Path:
    """The Python of an environment that has the SDK; made when it is missing."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trialwatch"
    cache.mkdir(parents=True, exist_ok=True)
    home = cache / f"{SDK.replace('==', '-')}-py{sys.version_info.major}.{sys.version_info.minor}"
    python, ready = home / "bin" / "python", home / "ready"
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one makes it, where several test runs want it
        if not ready.exists():
            venv.create(home, clear=True, with_pip=True)
            command = (python, "-m", "pip", "install", "--quiet", "--retries=1", SDK)
            made = subprocess.run(command, capture_output=True, text=True, check=False)
            if made.returncode != 0:
                cause = made.stderr.strip().splitlines()[-1:]
                assert not os.environ.get("CI"), f"{SDK} cannot be installed: {made.stderr}"
                pytest.skip(f"{SDK} cannot be installed on this machine: {cause}")
            ready.touch()
    return python


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Program]:
    with program(tmp_path, f"sqlite:///{tmp_path}/observations.db") as manager:
        yield manager


def test_katibs_sdk_reports_reads_and_deletes(sdk: Path, manager: Program) -> None:
    environ = {**os.environ, "no_proxy": "127.0.0.1", "PYTHONWARNINGS": "ignore"}
    command = (sdk, "-I", "-c", REPORT, manager.address)

    run = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)

    assert run.returncode == 0, run.stderr
    said = json.loads(run.stdout)
    early = ["2026-01-31T10:00:00.123456Z", "loss", "0.5"]
    assert said["all"][0] == early
    assert sorted(point[1:] for point in said["all"][1:]) == [
        ["accuracy", "0.75"],
        ["loss", "0.25"],
    ]
    assert [point[1:] for point in said["loss"]] == [["loss", "0.5"], ["loss", "0.25"]]
    assert said["until"] == [early]
    assert said["none"] == []
    assert said["refused"].startswith("Unable to push metrics to Katib DB for Trial default/sdk-")
    assert said["deleted"] == []
