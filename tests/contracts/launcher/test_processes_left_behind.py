"""When the trainer's own process has ended, its other processes end soon."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from tests.contracts.launcher.launcher_process import Launcher, exists, launched, python, wait_for

_SOON = 10.0
"""Seconds to wait, on a busy machine, for what takes milliseconds."""


def _pids(path: Path) -> list[int]:
    return [int(word) for word in path.read_text(encoding="utf-8").split()]


def test_a_grandchild_that_ignores_term_is_ended_and_the_status_kept(
    launcher: Launcher, run_dir: Path, tmp_path: Path
) -> None:
    note = tmp_path / "pids"
    inner = f"trap '' TERM HUP INT; echo $$ >{note}; while :; do sleep 1; done"
    command = ["sh", "-c", f'sh -c "{inner}" & while ! [ -s {note} ]; do :; done; exit 9']
    with launched(launcher, run_dir, command, "--drain", "0") as ran:
        started = time.monotonic()
        assert ran.wait() == 9
        assert time.monotonic() - started < _SOON
        assert ran.record()["leftovers"] >= 1
    assert not any(map(exists, _pids(note)))


def test_a_tree_of_eight_in_sessions_of_their_own_is_ended(
    launcher: Launcher, run_dir: Path, tmp_path: Path
) -> None:
    note = tmp_path / "pids"
    code = (
        "import os, signal, time\n"
        f"note = os.open({str(note)!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND)\n"
        "ready, done = os.pipe()\n"
        "if os.fork():\n"
        "    for _ in range(8): os.read(ready, 1)\n"
        "    os._exit(3)\n"
        "for i in range(8):\n"  # each is the child of the one before, in a session of its own
        "    os.setsid()\n"
        "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "    os.write(note, b'%d ' % os.getpid())\n"
        "    os.write(done, b'x')\n"
        "    if i == 7 or os.fork(): time.sleep(600)\n"
    )
    with launched(launcher, run_dir, python(code), "--drain", "0") as ran:
        assert ran.wait() == 3
        assert ran.record()["leftovers"] == 8
    assert len(_pids(note)) == 8
    assert not any(map(exists, _pids(note)))


def test_a_thousand_orphans_leave_no_zombie(
    launcher: Launcher, run_dir: Path, tmp_path: Path
) -> None:
    made, go = tmp_path / "made", tmp_path / "go"
    code = (
        "import os, sys, time\n"
        "for _ in range(1000):\n"
        "    if not (child := os.fork()):\n"
        "        os.fork()\n"  # the second one becomes an orphan
        "        os._exit(0)\n"
        "    os.waitpid(child, 0)\n"
        f"os.mkdir({str(made)!r})\n"
        f"while not os.path.exists({str(go)!r}): time.sleep(0.01)\n"
    )
    with launched(launcher, run_dir, python(code), "--drain", "0") as ran:
        wait_for(made.exists, patience=60)
        wait_for(lambda: _children(ran.process.pid) == 1)
        go.touch()
        assert ran.wait() == 0
        assert ran.record()["leftovers"] == 0


def _children(pid: int) -> int:
    """Count the children, zombies too."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    return len(found)


def test_orphans_are_reaped_in_the_hold_too(launcher: Launcher, run_dir: Path) -> None:
    with launched(launcher, run_dir, ["sh", "-c", "sleep 600 & sleep 600 & exit 0"]) as ran:
        ran.wait_for_record()
        assert _children(ran.process.pid) == 0


@pytest.mark.parametrize("trap", ["", "trap '' TERM; "], ids=["plain", "ignores-term"])
def test_a_stop_reaches_the_whole_tree_and_the_status_is_0(
    launcher: Launcher, run_dir: Path, tmp_path: Path, trap: str
) -> None:
    note = tmp_path / "pids"
    worker = f"{trap}echo $$ >>{note}; while :; do sleep 1; done"
    command = ["sh", "-c", f'{trap}for i in 1 2 3 4; do setsid sh -c "{worker}" & done; wait; wait']
    with launched(launcher, run_dir, command, "--grace", "1") as ran:
        wait_for(lambda: note.exists() and len(_pids(note)) == 4)
        started = time.monotonic()
        ran.say("stop")
        record = ran.wait_for_record()
        took = time.monotonic() - started
        assert record["stopped"] is True
        assert took >= 0.9 if trap else took < _SOON
        assert not any(map(exists, _pids(note)))
        ran.say("delivered ok")
        assert ran.wait() == 0


def test_a_stop_leaves_the_children_time_to_save_their_work(
    launcher: Launcher, run_dir: Path, tmp_path: Path
) -> None:
    ready, saved = tmp_path / "ready", tmp_path / "saved"
    worker = (
        f"trap 'sleep 0.3; touch {saved}; exit' TERM; touch {ready}; while :; do sleep 0.05; done"
    )
    # The shell dies of SIGTERM at once; then the worker gets it, and has the rest of the grace.
    with launched(launcher, run_dir, ["sh", "-c", f'sh -c "{worker}" & wait']) as ran:
        wait_for(ready.exists)
        ran.say("stop")
        assert ran.wait_for_record()["leftovers"] == 0
        assert saved.exists()


def test_a_trainer_that_answers_a_stop_with_a_failure_still_ends_with_0(
    launcher: Launcher, run_dir: Path
) -> None:
    command = python(
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: os._exit(17)); os.write(1, b'r'); time.sleep(60)"
    )
    with launched(launcher, run_dir, command, stdout=subprocess.PIPE) as ran:
        assert ran.process.stdout is not None
        ran.process.stdout.read(1)
        ran.say("stop")
        ran.say("stop")
        assert ran.wait_for_record()["status"] == 17
        ran.say("delivered gave-up: the store is away")
        assert ran.wait() == 0


def test_a_stop_after_the_end_changes_nothing(launcher: Launcher, run_dir: Path) -> None:
    with launched(launcher, run_dir, ["sh", "-c", "exit 21"]) as ran:
        assert ran.wait_for_record()["stopped"] is False
        ran.say("stop")
        ran.say("delivered ok")
        assert ran.wait() == 21
