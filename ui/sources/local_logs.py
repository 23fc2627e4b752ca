"""Pieces of the log of a trial's trainer, from the files of its last pod."""

from __future__ import annotations

import re
from pathlib import Path

from api.names import COLLECTOR_CONTAINER
from runner.pods.container_log import OLDER
from ui.sources.port import LogPiece, NotFound

_PLACE = re.compile(r"(\d{1,20}):(\d{1,20})")


def log_piece(folder: Path, primary: str, place: str, limit: int) -> LogPiece:
    """Return a piece of the trainer's log.

    Args:
        folder: the logs of the trial, with a folder for each pod.
        primary: the name of the trainer's container.
        place: where to continue, from an earlier piece; "" is the last part.
        limit: the most bytes.

    Raises:
        NotFound: there is no log.
    """
    log = _trainer_log(folder, primary)
    newest = log.stat()
    match = _PLACE.fullmatch(place)
    if match is None:
        start = max(newest.st_size - limit, 0)
        older = log.with_name(log.name + OLDER)
        return _read(log, start, limit, is_tail=start > 0 or older.exists())
    inode, offset = int(match[1]), int(match[2])
    if inode == newest.st_ino:
        return _read(log, min(offset, newest.st_size), limit, is_tail=False)
    older = log.with_name(log.name + OLDER)
    if older.exists() and older.stat().st_ino == inode and offset < older.stat().st_size:
        return _read(older, offset, limit, is_tail=False, last=False)
    missed = not (older.exists() and older.stat().st_ino == inode)
    return _read(log, 0, limit, is_tail=missed)


def _read(path: Path, start: int, limit: int, *, is_tail: bool, last: bool = True) -> LogPiece:
    with path.open("rb") as file:
        file.seek(start)
        content = file.read(limit)
    found = path.stat()
    end = start + len(content)
    return LogPiece(
        content=content,
        place=f"{found.st_ino}:{end}",
        is_tail=is_tail,
        more=end < found.st_size or not last,
    )


def _trainer_log(folder: Path, primary: str) -> Path:
    pods = sorted(folder.glob("*"), key=lambda one: one.stat().st_mtime)
    if not pods:
        raise NotFound(f"trial {folder.name} has printed nothing yet: its pod has not started")
    logs = {path.stem: path for path in sorted(pods[-1].glob("*.log"))}
    others = [path for name, path in logs.items() if name != COLLECTOR_CONTAINER]
    found = logs.get(primary) or next(iter(others), None)
    if found is None:
        raise NotFound(f"trial {folder.name} has no log of its trainer yet")
    return found
