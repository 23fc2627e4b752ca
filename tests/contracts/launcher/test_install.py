"""`launch install`: installs the program, even if a user has written to its path."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.collector.pod_processes import eventually
from tests.contracts.launcher.launcher_process import Launcher


def _install(launcher: Launcher, place: Path) -> tuple[int, str]:
    ran = subprocess.run(
        [*launcher.argv, "install", str(place)], capture_output=True, check=False, timeout=10
    )
    return ran.returncode, ran.stderr.decode()


def _assert_installed(launcher: Launcher, place: Path) -> None:
    assert place.read_bytes() == Path(launcher.argv[0]).read_bytes()
    ran = subprocess.run([place], capture_output=True, check=False)
    assert ran.returncode == 2
    assert ran.stderr.startswith(
        b"launch: a command is missing\nusage: launch run|supervise|install|await"
    )


def test_the_program_is_installed_at_the_path(c_launcher: Launcher, tmp_path: Path) -> None:
    assert _install(c_launcher, tmp_path / "launch") == (0, "")
    _assert_installed(c_launcher, tmp_path / "launch")
    assert [path.name for path in tmp_path.iterdir()] == ["launch"]


def test_an_equal_program_is_left_alone(c_launcher: Launcher, tmp_path: Path) -> None:
    _install(c_launcher, tmp_path / "launch")
    before = (tmp_path / "launch").stat()
    assert _install(c_launcher, tmp_path / "launch") == (0, "")
    assert (tmp_path / "launch").stat() == before


def test_a_running_program_can_be_replaced(c_launcher: Launcher, tmp_path: Path) -> None:
    place = tmp_path / "launch"
    sleep = Path("/bin/sleep").read_bytes()
    place.write_bytes(sleep)
    place.chmod(0o755)
    with subprocess.Popen([place, "600"]) as running:
        ended = _install(c_launcher, place)
        running.kill()
    assert ended == (0, "")
    _assert_installed(c_launcher, place)


@pytest.mark.parametrize(
    "spoil", ["other", "mode", "directory", "full-directory", "link", "broken-link", "fifo"]
)
def test_other_files_at_the_path_are_replaced(
    c_launcher: Launcher, tmp_path: Path, spoil: str
) -> None:
    place = tmp_path / "launch"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"a user's file")
    match spoil:
        case "other":
            place.write_bytes(b"\0" * Path(c_launcher.argv[0]).stat().st_size)
            place.chmod(0o755)
        case "mode":
            place.write_bytes(Path(c_launcher.argv[0]).read_bytes())
            place.chmod(0o600)
        case "directory":
            place.mkdir()
        case "full-directory":
            (place / "deep").mkdir(parents=True)
        case "link":
            place.symlink_to(elsewhere)
        case "broken-link":
            place.symlink_to("/no/such/file")
        case _:
            os.mkfifo(place)
    assert _install(c_launcher, place) == (0, "")
    _assert_installed(c_launcher, place)
    assert not place.is_symlink()
    assert elsewhere.read_bytes() == b"a user's file"


def test_an_install_may_wait_for_a_path(c_launcher: Launcher, tmp_path: Path) -> None:
    place, awaited = tmp_path / "launch", tmp_path / "push.sock"
    hook = subprocess.Popen([*c_launcher.argv, "install", str(place), str(awaited)])
    eventually(place.exists, lambda: "it is not installed")
    assert hook.poll() is None
    awaited.touch()
    assert hook.wait(60) == 0
    _assert_installed(c_launcher, place)


def test_a_full_disk_does_not_fail_the_hook_after_an_install(
    c_launcher: Launcher, small_disk: Path
) -> None:
    place = small_disk / "launch"
    place.write_text("an older one", encoding="utf-8")
    assert _install(c_launcher, place) == (
        0,
        f"launch install: cannot write {place}: No space left on device\n",
    )
    assert place.read_text(encoding="utf-8") == "an older one"
    assert [path.name for path in small_disk.iterdir()] == ["launch"]


def test_a_full_disk_fails_the_hook_before_any_training(
    c_launcher: Launcher, small_disk: Path
) -> None:
    place = small_disk / "launch"
    status, said = _install(c_launcher, place)
    assert (status, said) == (
        1,
        f"launch install: cannot write {place}: No space left on device\n",
    )
    (small_disk / "attempt").touch()  # a training has begun: now it must not fail
    assert _install(c_launcher, place) == (0, said)


def test_a_missing_directory_fails_the_hook(c_launcher: Launcher, tmp_path: Path) -> None:
    place = tmp_path / "no-such-volume" / "launch"
    assert _install(c_launcher, place) == (
        1,
        f"launch install: cannot write {place}: No such file or directory\n",
    )
