"""The directories in which trials keep their checkpoints: each begins as a copy of its parent's.

A trial's directory is `FOLDER/EXPERIMENT/TRIAL`, as in Katib. It is made before the trial is
returned, under another name at first, so a directory of a trial is always complete. A trial's name
follows from the experiment, the seed, its number and its parent. So after a lost reply, the same
question gets the same names and finds their directories; after a copy that took too long, it goes
on with this copy. A directory that is not like its parent's belongs to an earlier experiment of
the same name, whose volume was kept: it is made anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Final

from api.errors import SetupError
from api.faults import quoted
from api.names import PARENT_LABEL
from api.types import SuggestedTrial
from suggestion.core.algorithm import Proposal
from suggestion.service.checkpoint_copies import copy_tree, is_like, remove
from suggestion.service.request_names import check_name

_LETTERS: Final = "bcdfghjklmnpqrstvwxz2456789"
"""Of a trial's name: no vowels, so no words; no letters that look alike."""
_LENGTH: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoints:
    """Where the trials of all experiments have their directories."""

    folder: Path
    shared: bool = False
    """Whether the trials run as other users than the search: then all users may write there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """From which the names of new trials follow."""

    experiment: str
    first: int
    """The number of the first trial."""
    seed: int
    """Of the search."""
    existing: Collection[str] = ()
    """The names of trials that exist; no new trial gets one of them."""


def with_checkpoints(
    proposal: Proposal, naming: Naming, checkpoints: Checkpoints | None
) -> Proposal:
    """Return the trials with names, and make their directories; None: there is no place for them.

    Raises:
        UserError: the experiment or a parent has no name of Kubernetes.
        SetupError: there is no folder, a parent's directory is missing, or one cannot be written.
    """
    if checkpoints is None:
        raise SetupError(
            "this service has no directory for the checkpoints of trials; list the algorithm in"
            " katib-config with trialwatch's image of suggestions, and write resumePolicy:"
            " FromVolume"
        )
    trials = named(proposal.trials, naming)
    make_directories(checkpoints, naming.experiment, trials)
    return replace(proposal, trials=trials)


def named(trials: Sequence[SuggestedTrial], naming: Naming) -> tuple[SuggestedTrial, ...]:
    """Return the trials with names that no trial has."""
    chosen: list[SuggestedTrial] = []
    for number, trial in enumerate(trials, naming.first):
        words = f"{naming.seed} {number} {trial.labels.get(PARENT_LABEL, '')}"
        names = (_name(naming.experiment, words + more) for more in _again())
        name = next(name for name in names if name not in naming.existing)
        chosen.append(replace(trial, name=name))
    return tuple(chosen)


def _again() -> Iterator[str]:
    """Yield texts that make another name of the same words; the first one adds nothing."""
    yield ""
    yield from (f" {number}" for number in count(1))


def _name(experiment: str, words: str) -> str:
    digest = hashlib.blake2b(f"{experiment} {words}".encode(), digest_size=8).digest()
    rest = int.from_bytes(digest, "big")
    letters = []
    for _ in range(_LENGTH):
        rest, index = divmod(rest, len(_LETTERS))
        letters.append(_LETTERS[index])
    return f"{experiment}-{''.join(letters)}"


def make_directories(
    checkpoints: Checkpoints, experiment: str, trials: Sequence[SuggestedTrial]
) -> None:
    """Make the directory of each trial; none of them has begun, so one that exists is checked.

    Raises:
        UserError: the experiment or a parent has no name of Kubernetes.
        SetupError: a parent's directory is missing, or a directory cannot be written.
    """
    home = checkpoints.folder / check_name("experiment.name", experiment)
    for trial in trials:
        parent = trial.labels.get(PARENT_LABEL, "")
        source = home / check_name(f"label {PARENT_LABEL}", parent) if parent else None
        if source is not None and not source.is_dir():
            raise SetupError(
                f"there is no directory {source}, so trial {trial.name} has no checkpoint to"
                " begin with; restore it, or begin the experiment again under another name"
            )
        try:
            _make(home, trial.name, source, shared=checkpoints.shared)
        except OSError as error:
            place = f" ({quoted(str(error.filename))})" if error.filename else ""
            raise SetupError(
                f"cannot make {home / trial.name}, the directory of a trial's checkpoint:"
                f" {error.strerror}{place}; free space, or correct the rights of the volume"
            ) from None


def _make(home: Path, name: str, source: Path | None, *, shared: bool) -> None:
    target, part, old = home / name, home / f".{name}.part", home / f".{name}.old"
    if target.is_dir():
        if is_like(target, source):
            return
        target.replace(old)
    if old.exists():
        remove(old)
    if source is not None and part.exists() and _is_older(part, source):
        remove(part)  # it is of another checkpoint: of an earlier experiment of the same name
    home.mkdir(parents=True, exist_ok=True)
    copy_tree(source, part, shared=shared)
    part.replace(target)


def _is_older(part: Path, source: Path) -> bool:
    """Return whether a copy was last worked on before its source was as it is now."""
    return part.stat().st_ctime_ns < source.stat().st_ctime_ns
