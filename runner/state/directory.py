"""The paths of a state directory, and where the state directories are."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from api.errors import SetupError, UserError
from runner.state.lock import PATIENCE, hold, is_held

DEFAULT = Path(".trialwatch")


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
