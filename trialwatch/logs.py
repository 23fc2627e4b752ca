"""Print what a trial's container wrote, while it runs and after its end.

Without -c it is the container that trains; `-c metrics-logger-and-collector` is the collector. Of a
trial that was tried several times it is the last pod's. What is kept of each is its end, 10 MiB.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from api.errors import UserError
from api.names import COLLECTOR_CONTAINER
from api.objects.faults import nearest
from api.objects.trials import parse_trial
from controller.trial_states import ended
from runner.pods.keeping import OLDER
from runner.state.directory import DEFAULT, StateDirectory, find_trial
from runner.state.documents import read_document

if TYPE_CHECKING:
    import argparse

_PIECE = 1 << 16
_LOOK = 0.1
"""Seconds between two looks at a log that is followed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("trial", metavar="TRIAL", help="the trial's name")
    parser.add_argument("-c", "--container", default="", metavar="NAME", help="which container")
    parser.add_argument(
        "-f", "--follow", action="store_true", help="go on until the trial has ended"
    )
    parser.add_argument("-n", "--namespace", default="", metavar="NAME", help="of one namespace")
    parser.add_argument(
        "--state-dir",
        type=Path,
        default=DEFAULT,
        metavar="DIR",
        help=f"where experiments are kept ({DEFAULT})",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the log; return the exit status."""
    state = find_trial(arguments.state_dir, arguments.trial, arguments.namespace)
    log = _log_of(state, arguments.trial, arguments.container)
    over = (lambda: _has_ended(state, arguments.trial)) if arguments.follow else (lambda: True)
    for piece in _pieces(log, over):
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    return 0


def _log_of(state: StateDirectory, trial: str, container: str) -> Path:
    pods = sorted((state.logs / trial).glob("*"), key=lambda one: one.stat().st_mtime)
    if not pods:
        raise UserError(f"trial {trial} has printed nothing yet: no pod of it was started")
    there = sorted(path.stem for path in pods[-1].glob("*.log"))
    name = container or _trainer(state, trial, there)
    if name not in there:
        near = nearest(name, there)
        raise UserError(f"no container {name} of trial {trial} has a log{near}: {', '.join(there)}")
    return pods[-1] / f"{name}.log"


def _trainer(state: StateDirectory, trial: str, there: list[str]) -> str:
    document = read_document(state.trials / f"{trial}.yaml") or {}
    spec = document.get("spec")
    named = spec.get("primaryContainerName") if isinstance(spec, Mapping) else None
    others = [name for name in there if name != COLLECTOR_CONTAINER]
    return str(named) if named in there else next(iter(others), "")


def _has_ended(state: StateDirectory, trial: str) -> bool:
    document = read_document(state.trials / f"{trial}.yaml")
    return document is None or ended(parse_trial(document, unknown_fields=False))


def _pieces(log: Path, over: Callable[[], bool]) -> Iterator[bytes]:
    """Give what is kept of a log, the older part first, and what comes until it is over."""
    older = log.with_name(log.name + OLDER)
    if older.exists():
        with older.open("rb") as file:
            yield from _rest(file)
    file = log.open("rb")
    try:
        while True:
            last = over()  # before the last look: what was written by then is seen
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
