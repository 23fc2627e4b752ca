"""The port through which the commands read experiments: of this machine, or of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

from api.errors import UserError
from api.faults import nearest
from api.types import JsonObject
from trialwatch.sources.documents import name_of

KINDS: Final = ("experiments", "trials", "suggestions")
_FEW = 5
"""The most names that a message lists."""


class Source(Protocol):
    """Experiments with their trials and suggestions, in one namespace or in all."""

    where: str
    """Where it reads, such as `in .trialwatch` or `in the namespace team of the context here`."""
    makes: str
    """How to create an experiment there, for messages."""

    def objects(self, kind: str, name: str = "") -> list[JsonObject]:
        """Read all objects of a kind in `KINDS`, or those with a name, the oldest first.

        For trials and suggestions, `name` may be the name of their experiment too.
        """

    def omitted(self, kind: str) -> list[str]:
        """Say which objects `objects` returns only by their name, and how to see them."""

    def watch(self, kind: str, name: str, show: Callable[[Sequence[JsonObject]], None]) -> None:
        """Call `show` with the objects that `objects` reads, and with each that changes later.

        It ends only when the user interrupts. An object may come again without a change.
        """

    def trial(self, name: str) -> JsonObject:
        """Read a trial.

        Raises:
            UserError: no trial has this name, or several have it.
        """

    def trials_of(self, experiment: JsonObject) -> list[JsonObject]:
        """Read an experiment's trials."""

    def delete(self, experiment: JsonObject) -> None:
        """Delete an experiment with all that belongs to it.

        Raises:
            TrialwatchError: it cannot be deleted, or a run is at work on it.
        """

    def report_of(self, experiment: JsonObject) -> Path:
        """Return the default path of an experiment's report."""

    def print_log(
        self, trial: JsonObject, wanted: LogWanted, write: Callable[[bytes], None]
    ) -> None:
        """Write the log of a trial's container.

        Raises:
            UserError: the log does not exist; the message lists the existing logs.
        """


class LogWanted(Protocol):
    """The wanted log, as on the command line."""

    container: str
    follow: bool
    previous: bool


def nothing_called(source: Source, kind: str, name: str) -> UserError:
    """Return the error for an unknown name, with the most similar name, or a few names."""
    known = dict.fromkeys(name_of(one) for one in source.objects(kind))
    if not known:
        hint = f"; {source.makes}"
    elif not (hint := nearest(name, known)):
        few, more = list(known)[:_FEW], " and others" if len(known) > _FEW else ""
        hint = f"; there are {', '.join(few)}{more}"
    return UserError(f"there is no {kind[:-1]} {name} {source.where}{hint}")
