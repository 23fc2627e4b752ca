"""Real processes: a trainer that pushes, a file that a shell appends to, and a scraped trainer."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.collector.pod_processes import Observations, Trial, eventually, terminate, trial
from tests.dbmanager.database_servers import free_port
from tests.dbmanager.dbmanager_process import Program, program

_PUSH = """
import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
for body in sys.argv[2:]:
    connection.request("POST", "/push", body)
    response = connection.getresponse()
    print(response.status, response.read().decode(), end="")
"""
_SERVE = """
import os, sys, time
from prometheus_client import Counter, Gauge, Histogram, start_http_server
loss = Gauge("loss", "the loss", ["split"])
acc = Counter("acc", "correct answers")
seconds = Histogram("step_seconds", "the time of a step")
loss.labels("val").set(0.5)
loss.labels("train").set(0.4)
start_http_server(int(sys.argv[1]), addr="127.0.0.1")
wait = "wait" in sys.argv
for value in sys.argv[2:5]:
    loss.labels("val").set(float(value))
    acc.inc()
    seconds.observe(2.0)
    while wait and not os.path.exists(f"seen-{value}"):
        time.sleep(0.02)
"""
_SMALL_FILES = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384))
os.execvp(sys.argv[1], sys.argv[1:])
"""
_MODULES = """
import runpy, sys
sys.argv = ["collector", "--help"]
before = set(sys.modules)
import collector.__main__
print(*sorted(set(sys.modules) - before))
"""


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    folder = tmp_path_factory.mktemp("manager")
    with program(folder, f"sqlite:///{folder}/observations.db") as started:
        started.folder = folder  # type: ignore[attr-defined]  # for `observations`
        yield started


@pytest.fixture
def observations(manager: Program) -> Observations:
    return Observations(manager.folder / "observations.db")  # type: ignore[attr-defined]  # see above


@pytest.fixture
def pod(manager: Program, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Trial]:
    with trial(tmp_path, manager.address, request.node.name[:200]) as made:
        yield made


def _pushing(
    pod: Trial, *flags: str, source: str = "stdout", under: Sequence[str] = ()
) -> tuple[int, subprocess.Popen[bytes]]:
    """Start a collector that accepts pushes; return its port too."""
    port = free_port()
    collector = pod.collector(f"--push=127.0.0.1:{port}", *flags, source=source, under=under)
    eventually((pod.run_dir / "push.sock").exists, lambda: pod.log_text)
    return port, collector


def _await_value(observations: Observations, pod: Trial, metric: str, value: str) -> None:
    eventually(lambda: value in observations.values(pod.name, metric), lambda: pod.log_text)


def test_what_a_trainer_pushes_is_stored_beside_what_it_prints(
    pod: Trial, observations: Observations
) -> None:
    port, collector = _pushing(pod)
    bodies = ['{"loss": 0.5, "step": 1}\n{"loss": 0.25, "step": 2}', "acc=0.9", '{"loss": "low"}']
    trainer = pod.trainer([sys.executable, "-c", f"print('acc=0.8')\n{_PUSH}", str(port), *bodies])
    assert trainer.wait(60) == 0
    assert trainer.stdout is not None
    answers = trainer.stdout.read().decode().splitlines()
    assert [line[:3] for line in answers[1:]] == ["200", "200", "400"]
    assert json.loads(answers[3][3:])["field"] == "loss"
    assert terminate(collector) == 0
    assert observations.values(pod.name) == ["0.5", "0.25"]
    assert sorted(observations.values(pod.name, "acc")) == ["0.8", "0.9"]
    assert pod.last_words["delivered"]


def test_where_the_disk_takes_no_more_all_that_was_accepted_is_stored_and_nothing_else(
    pod: Trial, observations: Observations
) -> None:
    port, collector = _pushing(pod, under=[sys.executable, "-c", _SMALL_FILES])
    script = Path(__file__).with_name("pushing_trainer.py")
    trainer = pod.trainer([sys.executable, str(script), str(port), "1", "340", "1"])
    assert trainer.wait(60) == 0
    assert terminate(collector) == 0, pod.log_text
    accepted, refused = (
        (pod.folder / name).read_text().split() for name in ("accepted", "refused")
    )
    assert len(accepted) > 100
    assert len(refused) > 10
    assert observations.values(pod.name) == accepted


def test_a_port_that_is_taken_ends_the_collector_with_the_remedy(pod: Trial) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        collector = pod.collector(f"--push=127.0.0.1:{port}", native=False)
        assert collector.wait(60) == 2
    assert f"let no other container of the pod use port {port}" in pod.last_words["why"]
    assert not (pod.run_dir / "push.sock").exists()


def test_a_shell_appends_to_a_file(pod: Trial, observations: Observations) -> None:
    file = pod.run_dir / "metrics"
    _, collector = _pushing(pod, "-path", str(file), source="file")
    script = f"for i in 3 2 1; do echo loss=$i >> {file}; done"
    assert pod.train(script, "--file", str(file)) == 0
    assert terminate(collector) == 0
    assert observations.values(pod.name) == ["3", "2", "1"]


def test_a_stop_rule_sees_what_is_pushed(pod: Trial, observations: Observations) -> None:
    port, collector = _pushing(pod, "-stop-rule", "loss;0.3;less;0")
    code = f"{_PUSH}\nimport time; time.sleep(60)"
    trainer = pod.trainer([sys.executable, "-c", code, str(port), "loss=0.5", "loss=0.2"])
    assert trainer.wait(60) == 0
    assert terminate(collector) == 0
    assert observations.values(pod.name) == ["0.5", "0.2"]
    assert pod.last_words["outcome"] == "stopped"


def test_a_trainer_with_the_real_prometheus_client_is_scraped(
    pod: Trial, observations: Observations
) -> None:
    port = free_port()
    flags = (f"--scrape=http://127.0.0.1:{port}/metrics", "--scrape-interval=200ms")
    names = ("-m", 'loss{split="val"};acc_total;step_seconds_sum')
    collector = pod.collector(*flags, *names)
    words = [str(port), "0.3", "0.2", "nan", "wait"]
    trainer = pod.trainer([sys.executable, "-c", _SERVE, *words])
    for value in words[1:4]:
        _await_value(observations, pod, 'loss{split="val"}', value)
        (pod.folder / f"seen-{value}").touch()
    assert trainer.wait(60) == 0
    assert terminate(collector) == 0
    values = observations.values(pod.name, 'loss{split="val"}')
    assert [value for value in values if value != "0.5"] == ["0.3", "0.2", "nan"]
    assert observations.values(pod.name, "acc_total")[-1] == "3.0"
    assert observations.values(pod.name, "step_seconds_sum")[-1] == "6.0"
    assert f"scrapes of http://127.0.0.1:{port}/metrics failed" in pod.log_text


def test_a_stop_rule_asks_for_one_more_scrape_while_the_trainer_lives(
    pod: Trial, observations: Observations
) -> None:
    port = free_port()
    flags = (f"--scrape=http://127.0.0.1:{port}/metrics", "--scrape-interval=1h")
    names = ("-m", 'loss{split="val"};acc_total')
    collector = pod.collector(*flags, *names, "-stop-rule", "acc_total;5;greater;0")
    code = f"{_SERVE}\nprint('acc_total=9', flush=True)\ntime.sleep(60)"
    trainer = pod.trainer([sys.executable, "-c", code, str(port), "0.7"])
    assert trainer.wait(60) == 0
    assert terminate(collector) == 0
    assert observations.values(pod.name, 'loss{split="val"}')[-1] == "0.7"
    assert pod.last_words["outcome"] == "stopped"


def test_a_collector_that_receives_nothing_loads_none_of_it() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _MODULES], capture_output=True, check=True, text=True, cwd=Path.cwd()
    )
    loaded = ran.stdout.split()
    assert "collector.app" in loaded
    parts = ("collector.receiving", "collector.journal", "prometheus_client", "http.server")
    assert [name for name in loaded if name.startswith(parts)] == []
