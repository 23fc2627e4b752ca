"""Each start of the trainer is an attempt, with records in the run directory."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.launcher.launcher_process import Launched, Launcher, finished, launched


def test_attempts_are_numbered_and_leave_earlier_attempts_alone(
    launcher: Launcher, run_dir: Path
) -> None:
    attempts = []
    for number in (1, 2, 3):
        command = ["sh", "-c", f"echo loss={number}; exit {number}"]
        ran = finished(launcher, run_dir, command, "--capture", stdout=subprocess.DEVNULL)
        assert ran.wait() == number
        assert json.loads((run_dir / "attempt").read_bytes())["attempt"] == number
        attempts.append(Launched(ran.process, run_dir, number))
    for number, then in enumerate(attempts, start=1):
        assert then.stream("out") == f"loss={number}\n".encode()
        assert (then.record()["attempt"], then.record()["status"]) == (number, number)


def test_the_record_of_an_attempt_is_kept_in_its_own_folder_too(
    launcher: Launcher, run_dir: Path
) -> None:
    ran = finished(launcher, run_dir, ["true"])
    assert (ran.folder / "attempt").read_bytes() == (run_dir / "attempt").read_bytes()


def test_the_border_in_a_file_is_its_inode_and_size_at_the_start(
    launcher: Launcher, run_dir: Path, tmp_path: Path
) -> None:
    log = tmp_path / "train.log"
    borders = []
    for _ in range(2):
        command = ["sh", "-c", f"echo loss=1 >>{log}"]
        finished(launcher, run_dir, command, "--file", str(log))
        borders.append(json.loads((run_dir / "attempt").read_bytes())["file"])
    assert borders == [
        None,
        {"inode": log.stat().st_ino, "size": len("loss=1\n"), "tail": b"loss=1\n".hex()},
    ]
    assert log.read_bytes() == b"loss=1\n" * 2


@pytest.mark.parametrize("rubbish", [b"", b"x", b'{"attempt": -7}', b'{"attempt": 99999999999}'])
def test_rubbish_in_place_of_the_record_does_not_stop_an_attempt(
    launcher: Launcher, run_dir: Path, rubbish: bytes
) -> None:
    finished(launcher, run_dir, ["true"])
    (run_dir / "attempt").write_bytes(rubbish)
    ran = finished(launcher, run_dir, ["sh", "-c", "exit 8"])
    assert ran.wait() == 8
    assert json.loads((run_dir / "attempt").read_bytes())["attempt"] >= 2


def test_both_sides_may_write_with_every_umask(launcher: Launcher, run_dir: Path) -> None:
    ran = finished(
        launcher, run_dir, ["true"], "--capture", preexec_fn=lambda: os.umask(0o077) and None
    )
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in [run_dir, *run_dir.rglob("*")]
    }
    folders = {"run", "attempts", "1"}
    assert modes == {name: 0o777 if name in folders else 0o666 for name in modes}
    assert set(modes) == folders | {"attempt", "control", "exit", "out-00000001", "err-00000001"}
    assert ran.wait() == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")
def test_a_collector_of_another_user_can_follow_and_clean_up(
    public_launcher: Launcher, public_place: Path
) -> None:
    run_dir = public_place / "run"
    code = (
        "import os, sys\n"
        "os.setgroups([]); os.setgid(65532); os.setuid(65532)\n"
        "os.chdir(sys.argv[1])\n"
        "os.write(os.open('attempts/1/control', os.O_WRONLY | os.O_NONBLOCK), b'delivered ok\\n')\n"
        "assert open('attempts/1/out-00000001').read() == 'loss=1\\n'\n"
        "os.unlink('attempts/1/out-00000001')\n"
        "open('checkpoint', 'w').close()\n"
    )
    with launched(
        public_launcher,
        run_dir,
        ["echo", "loss=1"],
        "--capture",
        user=12345,
        group=12345,
        extra_groups=[],
        umask=0o077,
        stdout=subprocess.DEVNULL,
    ) as ran:
        ran.wait_for_record()
        subprocess.run([sys.executable, "-I", "-c", code, str(run_dir)], check=True)
        assert ran.wait() == 0
