"""The embedded servers of a run are out of reach of other users of the machine."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from api.errors import SetupError
from runner import sockets
from runner.sockets import socket_directory
from tests.polling import eventually
from tests.runner.experiment_runs import Machine, experiment

NOBODY = 65534
WAITS = "echo loss=${trialParameters.lr}; until [ -e go ]; do sleep 0.1; done"


def connect_as_nobody(path: Path) -> None:
    os.seteuid(NOBODY)
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
    finally:
        os.seteuid(0)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short path, as the path of a socket must be."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


async def test_a_run_listens_on_no_port_and_on_sockets_of_its_user_alone(
    machine: Machine, short: Path
) -> None:
    machine.write(experiment(command=["sh", "-c", WAITS], maxTrialCount=1, parallelTrialCount=1))
    process = machine.start("run", "e.yaml", "--state-dir", str(short))
    try:
        await eventually(lambda: any(short.glob("**/early-stopping")))
        [found] = {path.parent for path in short.glob("**/early-stopping")}
        programs = [
            psutil.Process(process.pid),
            *psutil.Process(process.pid).children(recursive=True),
        ]
        ports = [each for one in programs for each in one.net_connections("inet")]
        assert [each for each in ports if each.status == psutil.CONN_LISTEN] == []

        assert mode(found) == 0o700
        assert {path.name: mode(path) for path in found.iterdir()} == {
            "db-manager": 0o600,
            "early-stopping": 0o600,
        }
        if os.geteuid() == 0:  # only root can become another user
            with pytest.raises(PermissionError):
                connect_as_nobody(found / "db-manager")
    finally:
        (machine.folder / "go").touch()
        process.communicate()
    assert process.returncode == 0
    assert not found.exists()


def test_the_sockets_are_in_the_state_directory_and_go_with_the_run(short: Path) -> None:
    state = short
    (state / "sockets").mkdir()
    (state / "sockets" / "of-a-killed-run").touch()
    with socket_directory(state) as directory:
        assert directory == state.resolve() / "sockets"
        assert mode(directory) == 0o700
        assert [*directory.iterdir()] == []
    assert not directory.exists()


@pytest.mark.parametrize(
    "name", ["x" * 200, "with a space", "\N{GREEK SMALL LETTER PI}", "absent/x"]
)
def test_a_state_directory_that_cannot_have_sockets_has_them_elsewhere(
    short: Path, name: str
) -> None:
    state = short / name
    if name != "absent/x":
        state.mkdir()
    with socket_directory(state) as directory:
        assert state not in directory.parents
        assert mode(directory) == 0o700
    assert not directory.exists()


def test_without_any_place_for_sockets_the_run_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "_has_sockets", lambda _: False)
    with (
        pytest.raises(SetupError, match="set TMPDIR to a writable directory with a short path"),
        socket_directory(tmp_path),
    ):
        pass
    assert [*tmp_path.iterdir()] == []


def test_a_directory_of_temporary_files_whose_path_is_not_an_address_is_not_taken(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blank = short / "my files"
    blank.mkdir()
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(blank))
    with socket_directory(blank) as directory:
        assert " " not in str(directory)
    assert list(blank.iterdir()) == []
