"""How to run an experiment, besides its file."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from dbmanager.connect import without_password
from runner.state.last_command import LastCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """The options of a run."""

    database: str = ""
    """The URL of the database of the metrics; "" means a file in the state directory."""
    command: tuple[str, ...] = ("trialwatch", "run", "EXPERIMENT.yaml")
    """The command line that continues the experiment, for messages."""

    fresh: bool = False
    """Whether to start anew; a stored experiment is moved aside."""
    retry_failed: bool = False
    """Whether to run failed trials again, even if others have results."""

    gpus: str | None = None
    """The GPUs that trials may use, such as `0,1`; None means all, `none` means none."""
    pin: bool = False
    """Whether each trial runs on CPUs of its own, as many as it requests."""

    def line(self, *flags: str) -> str:
        """Return the command line, with more flags."""
        words = self.last_command().words
        return shlex.join((*words[:2], *flags, *words[2:]))  # before a command of the user

    def last_command(self) -> LastCommand:
        """Return the command line as it is stored: without a password, and to continue."""
        hidden = without_password(self.database)
        given = {self.database: hidden, f"--database={self.database}": f"--database={hidden}"}
        words = [given.get(word, word) if self.database else word for word in self.command]
        for flag, is_set in (("--fresh", self.fresh), ("--retry-failed", self.retry_failed)):
            if is_set and flag in words:
                words.remove(flag)  # only the first one: another one is of the user's program
        return LastCommand(words=tuple(words), directory=str(Path.cwd()))
