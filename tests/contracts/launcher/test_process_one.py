"""The launcher as PID 1 of a container: signals from outside, other processes, the end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.contracts.launcher.launcher_process import (
    Launched,
    Launcher,
    exists,
    launched,
    python,
    wait_for,
)


@pytest.fixture
def contained(launcher: Launcher) -> Launcher:
    """The launcher as the first process of a PID namespace."""
    tool = shutil.which("unshare")
    own = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    words = [str(tool), *own, "--pid", "--fork", "--kill-child", "--mount-proc"]
    if (
        tool is None
        or subprocess.run([*words, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("no PID namespace can be made here (unshare)")
    return Launcher(name=launcher.name, argv=(*words, *launcher.argv))


def _first_process(ran: Launched) -> int:
    """The host's pid of the namespace's PID 1."""
    ran.wait_for_attempt()
    path = Path(f"/proc/{ran.process.pid}/task/{ran.process.pid}/children")
    return int(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT, signal.SIGINT, 40])
def test_a_signal_from_outside_the_container_reaches_the_trainer(
    contained: Launcher, run_dir: Path, number: int
) -> None:
    ready = run_dir.with_name("ready")
    command = ["sh", "-c", f"mkdir {ready}; exec sleep 600"]
    with launched(contained, run_dir, command, "--drain", "0") as ran:
        wait_for(ready.exists)
        os.kill(_first_process(ran), number)
        assert ran.wait() == 128 + number
        assert ran.record()["signal"] == number


def test_every_other_process_has_ended_when_the_record_exists(
    contained: Launcher, run_dir: Path
) -> None:
    note = run_dir.with_name("pid")
    command = ["sh", "-c", f"while ! [ -e {note} ]; do sleep 0.01; done; exit 4"]
    enter = shutil.which("nsenter")
    if enter is None or os.geteuid() != 0:
        pytest.skip("nsenter (as root) stands for `kubectl exec`")
    with launched(contained, run_dir, command) as ran:
        first = _first_process(ran)
        # A process of `kubectl exec` has no parent in the container.
        words = [enter, "--target", str(first), "--pid", "--mount", *_slow_to_end()]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as visitor:
            assert visitor.stdout is not None
            visitor.stdout.readline()
            path = Path(f"/proc/{visitor.pid}/task/{visitor.pid}/children")
            inside = int(path.read_text(encoding="utf-8"))
            note.touch()
            assert ran.wait_for_record()["status"] == 4
            lives = exists(inside)
            visitor.kill()
        assert not lives
        ran.say("delivered ok")
        assert ran.wait() == 4


def _slow_to_end() -> list[str]:
    """A process with so much memory that the kernel needs tens of milliseconds to end it."""
    return python(
        "import mmap, time\n"
        "memory = mmap.mmap(-1, 1 << 28)\n"
        "for at in range(0, len(memory), mmap.PAGESIZE): memory[at] = 1\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)\n"
    )


def test_orphans_of_the_container_are_reaped(contained: Launcher, run_dir: Path) -> None:
    done = run_dir.with_name("done")
    code = (
        "import os, time\n"
        "for _ in range(1000):\n"
        "    if not (child := os.fork()):\n"
        "        os.fork()\n"
        "        os._exit(0)\n"
        "    os.waitpid(child, 0)\n"
        f"os.mkdir({str(done)!r})\n"
        "time.sleep(600)\n"
    )
    with launched(contained, run_dir, [sys.executable, "-I", "-S", "-c", code]) as ran:
        wait_for(done.exists, patience=60)
        first = _first_process(ran)
        path = Path(f"/proc/{first}/task/{first}/children")
        wait_for(lambda: len(path.read_text(encoding="utf-8").split()) == 1)


def test_a_stop_reaches_other_sessions_of_the_container(contained: Launcher, run_dir: Path) -> None:
    ready = run_dir.with_name("ready")
    command = ["sh", "-c", f"setsid sh -c 'trap \"\" TERM; mkdir {ready}; sleep 600' & wait"]
    with launched(contained, run_dir, command, "--grace", "0.5") as ran:
        wait_for(ready.exists)
        began = time.monotonic()
        ran.say("stop")
        assert ran.wait_for_record()["leftovers"] >= 1
        assert time.monotonic() - began >= 0.4
        ran.say("delivered ok")
        assert ran.wait() == 0
