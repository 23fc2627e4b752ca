"""One contract for both file systems: the kernel's, and the one in memory."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from api.errors import SetupError, Unavailable
from collector.disk_files import DiskFiles
from collector.streams.files import FileSystem
from collector.testing.memory import MemoryClock, MemoryFiles


class Ground:
    """A file system, and a function that writes to it."""

    def __init__(
        self, files: FileSystem, folder: str, append: Callable[[str, bytes], None]
    ) -> None:
        self.files = files
        self.folder = folder
        self._append = append

    def write(self, name: str, data: bytes) -> str:
        path = f"{self.folder}/{name}"
        self._append(path, data)
        return path


@pytest.fixture(params=["disk", "memory"])
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    if request.param == "disk":

        def append(path: str, data: bytes) -> None:
            with Path(path).open("ab") as file:
                file.write(data)

        yield Ground(DiskFiles(), str(tmp_path), append)
        return
    files = MemoryFiles(MemoryClock())

    def append_in_memory(path: str, data: bytes) -> None:
        with closing(files.create(path)) as file:
            file.append(data)

    yield Ground(files, "/folder", append_in_memory)


def test_a_missing_file_is_none(ground: Ground) -> None:
    path = f"{ground.folder}/missing/log"
    assert ground.files.stat(path) is None
    assert ground.files.open(path) is None
    assert ground.files.read(path) is None
    assert ground.files.names(f"{ground.folder}/missing") == []
    ground.files.unlink(path)


def test_a_file_is_read_at_any_offset(ground: Ground) -> None:
    path = ground.write("log", b"0123456789")
    file = ground.files.open(path)
    assert file is not None
    with closing(file):
        assert file.read_at(2, 3) == b"234"
        assert file.read_at(8, 10) == b"89"
        assert file.read_at(20, 10) == b""
        assert file.stat() == ground.files.stat(path)
        assert file.stat().size == 10
        ground.write("log", b"x")
        assert file.read_at(10, 10) == b"x"
    assert ground.files.read(path) == b"0123456789x"


def test_an_open_file_outlives_its_name(ground: Ground) -> None:
    path = ground.write("log", b"old")
    file = ground.files.open(path)
    assert file is not None
    with closing(file):
        ground.files.unlink(path)
        ground.write("log", b"new")
        found = ground.files.stat(path)
        assert found is not None
        assert found.inode != file.stat().inode
        assert file.read_at(0, 9) == b"old"


def test_a_file_is_replaced_atomically(ground: Ground) -> None:
    path = f"{ground.folder}/checkpoint"
    for data in (b"one", b"", b"three" * 100_000):
        ground.files.replace(path, data)
        assert ground.files.read(path) == data
    assert ground.files.names(ground.folder) == ["checkpoint"]


def test_closing_twice_is_harmless(ground: Ground) -> None:
    file = ground.files.open(ground.write("log", b"x"))
    assert file is not None
    file.close()
    file.close()


def test_a_directory_a_pipe_and_a_socket_count_as_missing(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("directory", "pipe"):
        assert DiskFiles().stat(str(tmp_path / name)) is None
        assert DiskFiles().open(str(tmp_path / name)) is None


def test_all_users_may_read_the_collectors_files(tmp_path: Path) -> None:
    DiskFiles().replace(str(tmp_path / "checkpoint"), b"x")
    assert (tmp_path / "checkpoint").stat().st_mode & 0o777 == 0o666


def test_a_full_disk_may_have_room_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(Unavailable, match="No space left on device"):
        DiskFiles().replace(str(tmp_path / "checkpoint"), b"x")


def test_a_missing_run_directory_is_a_setup_error() -> None:
    with pytest.raises(SetupError, match="directory was removed"):
        DiskFiles().replace("/no/such/directory/checkpoint", b"")
