"""A place where experiments are looked at, as the commands see it: a port."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from api.errors import UserError
from api.faults import nearest
from api.types import JsonObject
from trialwatch.documents import name_of

KINDS: Final = ("experiments", "trials", "suggestions")
_FEW = 5
"""Names that a message lists."""


class Source(Protocol):
    """Experiments with what belongs to them, in the namespaces that are looked at."""

    where: str
    """`in .trialwatch`, or `in the namespace team of the context here`."""
    makes: str
    """How experiments come there, as a sentence."""

    def objects(self, kind: str, name: str = "") -> list[JsonObject]:
        """Read all objects of a kind of `KINDS`, or the one of a name, the oldest first.

        Trials and suggestions may be chosen by their experiment's name too.
        """

    def trial(self, name: str) -> JsonObject:
        """Read a trial.

        Raises:
            UserError: there is none, or there are several.
        """

    def trials_of(self, experiment: JsonObject) -> list[JsonObject]:
        """Read an experiment's trials."""

    def report_of(self, experiment: JsonObject) -> Path:
        """Return where its report is written unless told otherwise."""

    def print_log(
        self, trial: JsonObject, wanted: LogWanted, write: Callable[[bytes], None]
    ) -> None:
        """Give what a container of a trial printed.

        Raises:
            UserError: there is no such log; the message says what there is.
        """


class LogWanted(Protocol):
    """Which log, as the command line has it."""

    container: str
    follow: bool
    previous: bool


def nothing_called(source: Source, kind: str, name: str) -> UserError:
    """Make the error of a name that nothing has; it says the name that comes nearest."""
    known = dict.fromkeys(name_of(one) for one in source.objects(kind))
    if not known:
        hint = f"; {source.makes}"
    elif not (hint := nearest(name, known)):
        few, more = list(known)[:_FEW], " and others" if len(known) > _FEW else ""
        hint = f"; there are {', '.join(few)}{more}"
    return UserError(f"there is no {kind[:-1]} {name} {source.where}{hint}")
