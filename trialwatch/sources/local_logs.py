"""The logs of containers on this machine, while they run and after their end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from api.documents import text_at
from api.errors import UserError
from api.faults import nearest
from api.names import COLLECTOR_CONTAINER
from api.objects.trials import parse_trial
from controller.reconcile.trial_states import has_ended
from runner.pods.container_log import OLDER
from runner.state.directory import StateDirectory
from runner.state.documents import read_document

_PIECE = 1 << 16
_LOOK = 0.1
"""Seconds between two reads of a log that is followed."""


def pieces_of(
    state: StateDirectory, trial: str, container: str, *, follow: bool
) -> Iterator[bytes]:
    """Yield the log of a container of a trial's last pod; with `follow` until the trial ends.

    Raises:
        UserError: the log does not exist.
    """
    log = _log_of(state, trial, container)
    over = (lambda: _has_ended(state, trial)) if follow else (lambda: True)
    yield from _pieces(log, over)


def _log_of(state: StateDirectory, trial: str, container: str) -> Path:
    pods = sorted((state.logs / trial).glob("*"), key=lambda one: one.stat().st_mtime)
    if not pods:
        raise UserError(f"trial {trial} has printed nothing yet: its first pod has not started")
    logged = sorted(path.stem for path in pods[-1].glob("*.log"))
    name = container or _trainer(state, trial, logged)
    if name not in logged:
        known = f"it has {', '.join(logged)}{nearest(name, logged)}"
        raise UserError(f"trial {trial} has no log of container {name}; {known}")
    return pods[-1] / f"{name}.log"


def _trainer(state: StateDirectory, trial: str, logged: list[str]) -> str:
    document = read_document(state.trials / f"{trial}.yaml") or {}
    named = text_at(document, "spec", "primaryContainerName")
    others = [name for name in logged if name != COLLECTOR_CONTAINER]
    return named if named in logged else next(iter(others), "")


def _has_ended(state: StateDirectory, trial: str) -> bool:
    document = read_document(state.trials / f"{trial}.yaml")
    return document is None or has_ended(parse_trial(document, unknown_fields=False))


def _pieces(log: Path, over: Callable[[], bool]) -> Iterator[bytes]:
    """Yield the stored log, the older part first, then new output until `over` is true."""
    older = log.with_name(log.name + OLDER)
    if older.exists():
        with older.open("rb") as file:
            yield from _rest(file)
    file = log.open("rb")
    try:
        while True:
            last = over()  # before the last read, so that all output is read
            yield from _rest(file)
            if last:
                return
            if log.exists() and log.stat().st_ino != _inode(file):
                yield from _rest(file)
                file.close()
                file = log.open("rb")
                continue
            time.sleep(_LOOK)
    finally:
        file.close()


def _rest(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece


def _inode(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_ino
