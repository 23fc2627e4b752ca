"""The directories in which trials keep their checkpoints: each begins as a copy of its parent's.

A trial's directory is `FOLDER/EXPERIMENT/TRIAL`, as in Katib. It is made before the trial is
returned, under another name at first, so a directory of a trial is always complete. A trial's name
follows from the experiment, the seed, its number and its parent. So after a lost reply, the same
question gets the same names and finds their directories.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from api.errors import SetupError
from api.names import PARENT_LABEL
from api.types import SuggestedTrial
from suggestion.core.algorithm import Proposal
from suggestion.service.request_names import check_name

_LETTERS: Final = "bcdfghjklmnpqrstvwxz2456789"
"""Of a trial's name: no vowels, so no words; no letters that look alike."""
_LENGTH: Final = 8


def with_checkpoints(
    proposal: Proposal, experiment: str, first: int, seed: int, folder: Path | None
) -> Proposal:
    """Return the trials with names, and make their directories.

    Args:
        proposal: of a search whose trials have checkpoints.
        experiment: its name.
        first: the number of the first trial.
        seed: of the search.
        folder: of all experiments; None: there is none.

    Raises:
        UserError: the experiment or a parent has no name of Kubernetes.
        SetupError: there is no folder, a parent's directory is missing, or one cannot be written.
    """
    if folder is None:
        raise SetupError(
            "this service has no directory for the checkpoints of trials; list the algorithm in"
            " katib-config with trialwatch's image of suggestions, and write resumePolicy:"
            " FromVolume"
        )
    trials = named(proposal.trials, experiment, first, seed)
    make_directories(folder, experiment, trials)
    return replace(proposal, trials=trials)


def named(
    trials: Sequence[SuggestedTrial], experiment: str, first: int, seed: int
) -> tuple[SuggestedTrial, ...]:
    """Return the trials with names; `first` is the number of the first one."""
    return tuple(
        replace(trial, name=_name(experiment, first + index, seed, trial))
        for index, trial in enumerate(trials)
    )


def _name(experiment: str, number: int, seed: int, trial: SuggestedTrial) -> str:
    text = f"{experiment} {seed} {number} {trial.labels.get(PARENT_LABEL, '')}"
    rest = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
    letters = []
    for _ in range(_LENGTH):
        rest, index = divmod(rest, len(_LETTERS))
        letters.append(_LETTERS[index])
    return f"{experiment}-{''.join(letters)}"


def make_directories(folder: Path, experiment: str, trials: Sequence[SuggestedTrial]) -> None:
    """Make the directory of each trial below `folder`; those that exist stay as they are.

    Raises:
        UserError: the experiment or a parent has no name of Kubernetes.
        SetupError: a parent's directory is missing, or a directory cannot be written.
    """
    home = folder / check_name("experiment.name", experiment)
    for trial in trials:
        parent = trial.labels.get(PARENT_LABEL, "")
        source = home / check_name(f"label {PARENT_LABEL}", parent) if parent else None
        if source is not None and not source.is_dir():
            raise SetupError(
                f"there is no directory {source}, so trial {trial.name} has no checkpoint to"
                " begin with; restore it, or begin the experiment again under another name"
            )
        try:
            _make(home, trial.name, source)
        except OSError as error:  # shutil.Error, of several files, is one too
            why = error.strerror or str(error)
            raise SetupError(
                f"cannot make {home / trial.name}, the directory of a trial's checkpoint: {why};"
                " free space, or correct the rights of the volume"
            ) from None


def _make(home: Path, name: str, source: Path | None) -> None:
    target, part = home / name, home / f".{name}.part"
    if target.is_dir():
        return
    home.mkdir(parents=True, exist_ok=True)
    if part.exists():  # of a call that was killed
        shutil.rmtree(part)
    if source is None:
        part.mkdir()
    else:
        shutil.copytree(source, part, symlinks=True)
    part.replace(target)
