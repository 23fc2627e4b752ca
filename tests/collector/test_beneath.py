"""One contract for both ways to open a file below a directory: the kernel's, and part by part."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector import beneath
from collector.beneath import DIRECTORY, LEAVES, OpenBeneath, by_kernel, by_parts, open_beneath


@pytest.fixture(params=[by_kernel, by_parts])
def way(request: pytest.FixtureRequest) -> OpenBeneath:
    if request.param is by_kernel and open_beneath() is not by_kernel:
        return by_parts  # an old kernel, or a runtime that forbids the call
    chosen: OpenBeneath = request.param
    return chosen


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "outside").write_text("outside")
    volume = tmp_path / "volume"
    (volume / "logs" / "old").mkdir(parents=True)
    (volume / "logs" / "metrics.log").write_text("inside")
    links = {
        "current": "logs/metrics.log",
        "logs/up": "../logs/metrics.log",
        "directory": "logs",
        "twice": "current",
        "absolute": str(volume / "logs" / "metrics.log"),
        "out": "../outside",
        "logs/out": "../../outside",
        "out-and-in": "../volume/logs/metrics.log",
        "loop": "loop",
        "proc": f"/proc/{os.getpid()}/environ",
    }
    for name, target in links.items():
        (volume / name).symlink_to(target)
    opened = os.open(volume, DIRECTORY)
    yield opened
    os.close(opened)


def read(way: OpenBeneath, root: int, path: str, *, links: bool) -> str:
    descriptor = way(root, path, os.O_RDONLY, links=links)
    with os.fdopen(descriptor) as file:
        return file.read()


@pytest.mark.parametrize("links", [True, False])
def test_a_file_is_opened_by_its_path(way: OpenBeneath, root: int, *, links: bool) -> None:
    assert read(way, root, "logs/metrics.log", links=links) == "inside"
    assert read(way, root, "./logs//old/../metrics.log", links=links) == "inside"


@pytest.mark.parametrize("path", ["current", "logs/up", "directory/metrics.log", "twice"])
def test_a_relative_link_inside_is_followed_if_links_are_allowed(
    way: OpenBeneath, root: int, path: str
) -> None:
    assert read(way, root, path, links=True) == "inside"
    with pytest.raises(OSError, match="symbolic") as refused:
        read(way, root, path, links=False)
    assert refused.value.errno == errno.ELOOP


@pytest.mark.parametrize(
    "path",
    ["absolute", "out", "logs/out", "directory/out", "out-and-in", "loop", "proc", "../outside"],
)
@pytest.mark.parametrize("links", [True, False])
def test_no_path_leaves_the_directory(
    way: OpenBeneath, root: int, path: str, *, links: bool
) -> None:
    with pytest.raises(OSError, match=r"symbolic|cross-device") as refused:
        read(way, root, path, links=links)
    assert refused.value.errno in LEAVES


def test_a_missing_file_is_missing(way: OpenBeneath, root: int) -> None:
    with pytest.raises(FileNotFoundError):
        read(way, root, "logs/none", links=True)
    with pytest.raises(NotADirectoryError):
        read(way, root, "logs/metrics.log/none", links=True)


def test_no_descriptor_stays_open(way: OpenBeneath, root: int) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for path in ("logs/metrics.log", "logs/none", "out", "loop", "directory/metrics.log"):
        try:
            os.close(way(root, path, os.O_RDONLY, links=True))
        except OSError:
            continue
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_where_the_runtime_forbids_the_call_each_part_is_opened_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def forbidden(*_: object, **__: object) -> int:
        raise PermissionError(errno.EPERM, "not permitted")

    monkeypatch.setattr(beneath, "by_kernel", forbidden)
    assert open_beneath.__wrapped__() is by_parts


def test_a_link_that_takes_a_files_place_during_the_look_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / "log").symlink_to(secret)
    root = os.open(volume, DIRECTORY)
    # The look finds a file; when it is opened, the trainer has put a link there.
    monkeypatch.setattr(beneath, "_link", lambda *_: None)
    with pytest.raises(OSError, match="symbolic"):
        by_parts(root, "log", os.O_RDONLY, links=True)
    os.close(root)
