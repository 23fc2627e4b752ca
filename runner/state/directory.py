"""The paths of a state directory, and the lock that gives it to one run only."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from api.errors import SetupError, UserError

DEFAULT = Path(".trialwatch")
_PATIENCE = 20.0
"""Seconds that a run waits for the last processes of the previous run."""
_LOOK = 0.05


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

    @contextmanager
    def locked(
        self, patience: float = _PATIENCE, sleep: Callable[[float], None] = time.sleep
    ) -> Iterator[int]:
        """Lock the directory; yield the descriptor that holds the lock.

        Processes that inherit the descriptor hold the lock too. After a run was killed, the process
        that ends its containers holds it for a moment.

        Raises:
            SetupError: another run has the lock.
        """
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            until = time.monotonic() + patience
            while not _taken(descriptor):
                holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
                if _is_alive(holder) or time.monotonic() >= until:
                    raise SetupError(
                        f"another run (process {holder or 'unknown'}) uses {self.path}:"
                        " end it, or use another --state-dir"
                    )
                sleep(_LOOK)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            yield descriptor
        finally:
            os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_alive(pid: str) -> bool:
    """Return whether a process runs; zombies do not count."""
    try:
        stat = Path(f"/proc/{int(pid)}/stat").read_text(encoding="utf-8", errors="replace")
    except (ValueError, OSError):
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


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
