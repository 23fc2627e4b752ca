"""The paths of a state directory, and where the state directories are."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

from api.errors import SetupError, UserError
from runner.state.lock import PATIENCE, hold, is_at, is_held

DEFAULT = Path(".trialwatch")
_MARK = "."
"""Begins the date in the name of a directory that was moved aside; no experiment's name has it."""


@dataclass(frozen=True, slots=True)
class StateDirectory:
    """The directory of one experiment."""

    path: Path

    @property
    def experiment(self) -> Path:
        """The Experiment."""
        return self.path / "experiment.yaml"

    @property
    def suggestion(self) -> Path:
        """The Suggestion."""
        return self.path / "suggestion.yaml"

    @property
    def trials(self) -> Path:
        """A file for each Trial."""
        return self.path / "trials"

    @property
    def jobs(self) -> Path:
        """A file for each job."""
        return self.path / "jobs"

    @property
    def logs(self) -> Path:
        """A directory for each trial, with one for each pod."""
        return self.path / "logs"

    @property
    def pods(self) -> Path:
        """The same, for volumes."""
        return self.path / "pods"

    @property
    def checkpoints(self) -> Path:
        """A directory for each trial, of searches whose trials have checkpoints."""
        return self.path / "checkpoints"

    @property
    def database(self) -> Path:
        """The metrics."""
        return self.path / "observations.db"

    @property
    def report(self) -> Path:
        """The experiment as one HTML file, at the end of each run."""
        return self.path / "report.html"

    @property
    def command(self) -> Path:
        """The command line of the last run."""
        return self.path / "command.json"

    def make(self) -> None:
        """Create the directory.

        Raises:
            SetupError: it cannot be created.
        """
        try:
            for folder in (self.trials, self.jobs, self.logs, self.pods):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SetupError(
                f"the state directory {self.path} cannot be created ({error.strerror}): choose"
                " another with --state-dir"
            ) from None

    def is_moved_aside(self) -> bool:
        """Whether the experiment was replaced by a new one of its name; only to look at."""
        return _MARK in self.path.name

    def move_aside(self, now: datetime) -> StateDirectory:
        """Move the directory to a dated name next to it; return it.

        Raises:
            SetupError: it cannot be moved.
        """
        dated = f"{self.path.name}{_MARK}{now:%Y-%m-%d-%H%M%S}"
        taken = (
            self.path.with_name(f"{dated}-{number}" if number else dated) for number in count()
        )
        target = next(path for path in taken if not path.exists())
        try:
            self.path.rename(target)
        except OSError as error:
            raise SetupError(
                f"cannot move {self.path} to {target.name} ({error.strerror}): choose another"
                " directory with --state-dir"
            ) from None
        return StateDirectory(target)

    def remove(self) -> None:
        """Delete the directory, and those above it that are empty then.

        Raises:
            SetupError: a part of it cannot be deleted.
        """
        try:
            shutil.rmtree(self.path)
        except OSError as error:
            raise SetupError(
                f"cannot delete {error.filename or self.path} ({error.strerror}): delete"
                f" {self.path} by hand"
            ) from None
        with contextlib.suppress(OSError):
            self.path.parent.rmdir()
            self.path.parents[1].rmdir()

    def locked(
        self, patience: float = PATIENCE, sleep: Callable[[float], None] = time.sleep
    ) -> AbstractContextManager[int]:
        """Lock the directory; the context gives the descriptor that holds the lock.

        Raises:
            SetupError: another run has the lock.
        """
        return hold(self._lock, patience, sleep)

    def is_at_work(self) -> bool:
        """Return whether a run uses the directory now."""
        return is_held(self._lock)

    def check(self, lock: int) -> None:
        """Check that the directory is still the one that was locked.

        Raises:
            SetupError: it was deleted or moved.
        """
        if not is_at(lock, self._lock):
            raise SetupError(
                f"the state directory {self.path} was deleted or moved while the run was at work,"
                " so the run was ended: run the command again to start anew"
            )

    @property
    def _lock(self) -> Path:
        return self.path / "lock"


def state_of(root: Path, namespace: str, experiment: str) -> StateDirectory:
    """Return the directory of an experiment."""
    return StateDirectory(root.absolute() / namespace / experiment)


def all_states(root: Path) -> list[StateDirectory]:
    """Return the directories of all experiments below a root, by namespace and name."""
    found = sorted(root.absolute().glob("*/*/experiment.yaml"))
    return [StateDirectory(path.parent) for path in found]


def find_trial(root: Path, name: str, namespace: str = "") -> StateDirectory:
    """Find the experiment of a trial, in one namespace or in all.

    Raises:
        UserError: no experiment has this trial, or several have it.
    """
    found = [
        state
        for state in all_states(root)
        if namespace in ("", state.path.parent.name) and (state.trials / f"{name}.yaml").exists()
    ]
    if len(found) == 1:
        return found[0]
    if found:
        where = ", ".join(str(state.path) for state in found)
        raise UserError(f"several experiments have a trial {name}: {where}; add -n NAMESPACE")
    raise UserError(f"there is no trial {name} in {root}: `trialwatch get trials` lists all trials")
