"""The examples of `examples/push`: each pushes what it says, in its own language."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from collector.receiving.push import push_route
from collector.receiving.server import LocalServer, listen_on_tcp
from filters.journal_finder import JournalPoint

EXAMPLES = Path(__file__).parents[2] / "examples" / "push"
_COMMANDS = {
    "push.sh": ["sh", "push.sh"],
    "push.py": [sys.executable, "push.py"],
    "push.mjs": ["node", "push.mjs"],
    "push.go": ["go", "run", "-p", "1", "push.go"],
}


class Sidecar:
    """The sidecar's server, and what was pushed to it."""

    def __init__(self, log: list[str]) -> None:
        self.points: list[JournalPoint] = []
        listening = listen_on_tcp("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}/push"
        routes = {"/push": push_route(["loss"], self._accept)}
        self.server = LocalServer({"tcp": listening}, routes, log.append)

    def _accept(self, points: Iterable[JournalPoint]) -> None:
        self.points += points

    @property
    def values(self) -> list[tuple[float, int | None]]:
        return [(round(float(point.value), 3), point.step) for point in self.points]


@pytest.fixture
def sidecar() -> Iterator[Sidecar]:
    log: list[str] = []
    sidecar = Sidecar(log)
    yield sidecar
    sidecar.server.close()
    assert log == []


def _run(sidecar: Sidecar, words: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "TRIALWATCH_METRICS_URL": sidecar.url, **variables}
    return subprocess.run(
        words, cwd=EXAMPLES, env=environ, capture_output=True, text=True, check=False, timeout=600
    )


@pytest.mark.parametrize("name", _COMMANDS)
def test_an_example_pushes_each_step(sidecar: Sidecar, name: str) -> None:
    if shutil.which(_COMMANDS[name][0]) is None:
        pytest.skip(f"no {_COMMANDS[name][0]} here: install it to try this example")
    ran = _run(sidecar, _COMMANDS[name])
    assert ran.returncode == 0, ran.stderr
    assert sidecar.values == [(1.0, 1), (0.5, 2), (0.333, 3)]


def test_the_shell_appends_to_a_file_where_it_has_no_curl(sidecar: Sidecar, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for program in ("sh", "awk"):
        found = next(p for p in ("/bin", "/usr/bin") if Path(p, program).exists())
        (programs / program).symlink_to(Path(found, program))
    file = tmp_path / "metrics"
    ran = _run(sidecar, ["sh", "push.sh"], PATH=str(programs), TRIALWATCH_METRICS_FILE=str(file))
    assert ran.returncode == 0, ran.stderr
    assert file.read_text() == "loss=1\nloss=0.5\nloss=0.333333\n"


def test_a_collector_in_shell_pushes_each_line_of_a_log_once(
    sidecar: Sidecar, tmp_path: Path
) -> None:
    log = tmp_path / "train.log"
    train = f"for e in 1 2 3; do echo $e 0.$e >> {log}; sleep 0.3; done; touch {log}.done"
    trainer = subprocess.Popen(["sh", "-c", train])
    ran = _run(sidecar, ["sh", "collector.sh", str(log)], TRIALWATCH_METRICS="loss;acc")
    trainer.wait()
    assert ran.returncode == 0, ran.stderr
    assert sidecar.values == [(0.1, 1), (0.2, 2), (0.3, 3)]
