"""How to run an experiment, besides its file."""

from __future__ import annotations

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

    def last_command(self) -> LastCommand:
        """Return the command line as it is stored: without a password."""
        hidden = without_password(self.database)
        words = tuple(hidden if word == self.database else word for word in self.command)
        return LastCommand(words=words, directory=str(Path.cwd()))
