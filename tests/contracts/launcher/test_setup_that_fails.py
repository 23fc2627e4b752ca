"""A failure of the launcher costs the metrics, with a message, but not the training."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contracts.launcher.launcher_process import Launcher, as_in_a_shell

_SAID = b"the trainer runs without the launcher, without metrics\n"


def _run(
    launcher: Launcher, run_dir: Path, limit: Callable[[], None] | None = None
) -> tuple[int, bytes, bytes]:
    """Run a trainer that prints, reads its stdin and fails; returns status, stdout, stderr."""
    command = ["sh", "-c", "ulimit -n 100; echo loss=1; cat; echo oops >&2; exit 13"]
    ran = subprocess.run(
        [*launcher.run(run_dir, "--capture", "--drain", "0"), *command],
        input=b"the input\n",
        capture_output=True,
        preexec_fn=limit,
        check=False,
    )
    return as_in_a_shell(ran.returncode), ran.stdout, ran.stderr


def _assert_bare(ran: tuple[int, bytes, bytes], *causes: bytes) -> None:
    status, output, errors = ran
    said, _, rest = errors.partition(b"\n")
    assert (status, output, rest) == (13, b"loss=1\nthe input\n", b"oops\n")
    assert (said + b"\n").endswith(_SAID)
    assert any(cause in said for cause in causes), said


def test_a_run_directory_that_is_a_file(launcher: Launcher, tmp_path: Path) -> None:
    (tmp_path / "run").touch()
    _assert_bare(_run(launcher, tmp_path / "run"), b"Not a directory", b"File exists")


def test_a_run_directory_that_cannot_be_made(launcher: Launcher) -> None:
    _assert_bare(_run(launcher, Path("/proc/no/such/place")), b"No such file or directory")


def test_a_read_only_run_directory(launcher: Launcher, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    _assert_bare(_run(launcher, small_disk), b"Read-only file system")


@pytest.mark.parametrize("free", range(0, 40_000, 4096))
def test_a_full_disk_at_the_start(launcher: Launcher, small_disk: Path, free: int) -> None:
    """The trainer runs at whatever part of the set-up the disk is full."""
    (small_disk / "filler").write_bytes(b"x" * (64 * 1024 - free))
    ran = _run(launcher, small_disk)
    if b"without the launcher" in ran[2]:
        _assert_bare(ran, b"No space left on device")
    else:
        assert ran == (13, b"loss=1\nthe input\n", b"oops\n")
        assert free >= 8192


def test_a_disk_that_fills_up_ends_the_capture(launcher: Launcher, small_disk: Path) -> None:
    words = ["sh", "-c", "head -c 200000 /dev/zero; exit 13"]
    ran = subprocess.run(
        [*launcher.run(small_disk, "--capture", "--drain", "0"), *words],
        capture_output=True,
        check=False,
    )
    assert (ran.returncode, len(ran.stdout), ran.stderr) == (13, 200_000, b"")
    record = (small_disk / "attempts/1/exit").read_text(encoding="utf-8")
    assert '"complete": false, "cause": "No space left on device"' in record


def test_too_few_descriptors(c_launcher: Launcher, run_dir: Path) -> None:
    for most in range(4, 14):

        def limit(most: int = most) -> None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, 100))

        ran = _run(c_launcher, run_dir, limit)
        if b"without the launcher" in ran[2]:
            _assert_bare(ran, b"Too many open files")
        else:
            assert ran == (13, b"loss=1\nthe input\n", b"oops\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user without processes")
def test_no_process_is_available(
    public_launcher: Launcher, public_place: Path, probe: Path
) -> None:
    trainer = shutil.copy2(probe, public_place / "probe")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))

    ran = subprocess.run(
        [*public_launcher.run(public_place / "run", "--capture"), str(trainer), "11"],
        capture_output=True,
        check=False,
        user=54321,
        group=54321,
        extra_groups=[],
        preexec_fn=limit,
    )
    assert ran.returncode == 11
    facts = json.loads(ran.stdout)
    assert facts["open"] == [0, 1, 2]
    assert facts["subreaper"] == 0
    said, _, rest = ran.stderr.partition(b"\n")
    assert b"cannot make a process" in said
    assert (said + b"\n").endswith(_SAID)
    assert rest == b"to the other stream\n"
