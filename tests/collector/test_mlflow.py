"""MLflow's API in the sidecar, with real processes: what is answered with 200 is stored once."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from collector.mlflow.routes import PREFIX
from tests.collector.pod_processes import Observations, Trial, eventually, terminate, trial
from tests.dbmanager.database_servers import free_port
from tests.dbmanager.dbmanager_process import program

# A trainer that logs by HTTP as MLflow's client does: it sends a request again until it is answered.
TRAINER = f"""
import http.client, json, sys, time

port = int(sys.argv[1])

def call(name, **fields):
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("POST", "{PREFIX}" + name, json.dumps(fields))
            response = connection.getresponse()
            body = json.loads(response.read())
            if response.status == 200:
                return body
            assert response.status == 503, body
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.02)

run = call("runs/create", run_name="mine")["run"]["info"]["run_id"]
call("runs/log-parameter", run_id=run, key="lr", value="0.1")
for step in range(int(sys.argv[2])):
    fields = dict(key="loss", value=step / 8, step=step, timestamp=1700000000000 + step)
    call("runs/log-metric", run_id=run, **fields)
call("runs/log-parameter", run_id=run, key="lr", value="0.1")
call("runs/update", run_id=run, status="FINISHED")
"""


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Observations]]:
    folder = tmp_path_factory.mktemp("manager")
    with program(folder, f"sqlite:///{folder}/observations.db") as started:
        yield started.address, Observations(folder / "observations.db")


@pytest.fixture
def pod(
    manager: tuple[str, Observations], tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Trial]:
    with trial(tmp_path, manager[0], request.node.name[:200]) as made:
        yield made


@pytest.fixture
def observations(manager: tuple[str, Observations]) -> Observations:
    return manager[1]


def serving(port: int) -> tuple[str, str]:
    return f"--push=127.0.0.1:{port}", "--mlflow"


def ask(port: int, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())


def await_answers(pod: Trial, port: int) -> None:
    def answers() -> bool:
        try:
            return ask(port, "GET", f"{PREFIX}experiments/search")[0] == 200
        except OSError:
            return False

    eventually(answers, lambda: f"no answer:\n{pod.log_text}")


def test_what_a_trainer_logs_is_stored_with_its_steps(
    pod: Trial, observations: Observations
) -> None:
    port = free_port()
    collector = pod.collector(*serving(port))
    assert pod.trainer([sys.executable, "-c", TRAINER, str(port), "20"]).wait(60) == 0
    assert terminate(collector) == 0
    assert observations.values(pod.name) == [str(step / 8) for step in range(20)]
    assert observations.steps(pod.name) == list(range(20))
    assert pod.last_words["outcome"] == "succeeded"


def test_a_sidecar_that_is_killed_knows_the_run_and_stores_each_value_once(
    pod: Trial, observations: Observations
) -> None:
    port, count = free_port(), 300
    collector = pod.collector(*serving(port))
    trainer = pod.trainer([sys.executable, "-c", TRAINER, str(port), str(count)])
    for _ in range(4):
        await_answers(pod, port)
        time.sleep(0.05)  # any moment will do
        collector.kill()
        collector.wait()
        collector = pod.collector(*serving(port))
    assert trainer.wait(120) == 0, pod.log_text
    assert terminate(collector) == 0
    assert observations.values(pod.name) == [str(step / 8) for step in range(count)]


CLIENT = """
import sys
import mlflow
mlflow.set_tracking_uri("http://127.0.0.1:" + sys.argv[1])
with mlflow.start_run() as run:
    mlflow.log_param("lr", 0.1)
    for step in range(int(sys.argv[2])):
        mlflow.log_metric("loss", step / 8, step=step)
assert mlflow.get_run(run.info.run_id).data.params == {"lr": "0.1"}
"""


def test_mlflows_own_client_logs_on_while_the_sidecar_is_killed(
    pod: Trial, observations: Observations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "1")
    port, count = free_port(), 400
    collector = pod.collector(*serving(port))
    trainer = pod.trainer([sys.executable, "-c", CLIENT, str(port), str(count)])
    for seen in (20, 120, 220):
        eventually(
            lambda seen=seen: len(observations.values(pod.name)) > seen,  # type: ignore[misc]  # its type is that of `seen`
            lambda: pod.log_text,
            patience=120,
        )
        collector.kill()
        collector.wait()
        collector = pod.collector(*serving(port))
    assert trainer.wait(180) == 0, pod.log_text
    assert terminate(collector) == 0
    assert observations.steps(pod.name) == list(range(count))


def test_what_is_wrong_with_a_request_is_answered(pod: Trial) -> None:
    port = free_port()
    pod.collector(*serving(port))
    await_answers(pod, port)
    for path in (f"{PREFIX}runs/none", f"{PREFIX}runs/create/../x", "/api/"):
        assert ask(port, "POST", path, b"{}")[0] == 404
    assert ask(port, "POST", f"{PREFIX}runs/create", b"{")[0] == 400
    too_many = "&".join(f"a{number}=1" for number in range(200))
    assert ask(port, "GET", f"{PREFIX}runs/get?{too_many}")[0] == 400


def test_a_metric_before_the_training_has_begun_is_to_be_sent_again(pod: Trial) -> None:
    port = free_port()
    pod.collector(*serving(port))
    await_answers(pod, port)
    run = ask(port, "POST", f"{PREFIX}runs/create", b"{}")[1]["run"]["info"]["run_id"]
    metric = json.dumps({"run_id": run, "key": "loss", "value": 1}).encode()
    status, body = ask(port, "POST", f"{PREFIX}runs/log-metric", metric)
    assert (status, body["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")


def test_other_sidecars_load_nothing_of_it() -> None:
    code = "import sys, collector.app; print([name for name in sys.modules if 'mlflow' in name or name == 'http.server'])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"
