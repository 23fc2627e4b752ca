"""Katib's own SDK works with this server without a change."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dbmanager.dbmanager_process import Program, program
from tests.katibs_sdk import python_with_sdk

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
    return python_with_sdk()


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
