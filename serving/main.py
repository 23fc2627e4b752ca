"""The command line of a program that serves: help, settings, and a status for each way it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from api.errors import RemoteError, TrialwatchError
from api.goflags import asks_for_help, usage_of
from serving.settings import Dataclass, Variable, flags_of, variable_flags

S = TypeVar("S", bound=Dataclass)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program(Generic[S]):
    """One program, as its command line shows it."""

    name: str
    """Of the package: it starts by `python -m NAME`."""
    synopsis: str = "[FLAG...]"
    purpose: str
    """What it does and its exit statuses: the first paragraph of the help text."""
    settings: type[S]
    variables: Sequence[Variable] = ()
    variables_head: str = ""
    """What the variables are for: the line above them."""

    def usage(self) -> str:
        """Write the help text."""
        head = f"usage: python -m {self.name} {self.synopsis}\n\n{self.purpose}\n\n"
        variables = usage_of(variable_flags(self.variables))
        tail = f"\n{self.variables_head}:\n{variables}" if variables else ""
        return head + usage_of(flags_of(self.settings)) + tail

    def main(
        self,
        argv: Sequence[str],
        read: Callable[[Sequence[str], Mapping[str, str]], S],
        serve: Callable[[S], None],
    ) -> int:
        """Show the help text, or read the settings and serve.

        Returns the exit status: 0 after a signal, 1 after a service did not come in time, 2 for a
        wrong set-up. The cause of 1 and 2 goes to standard error, in one line.
        """
        if asks_for_help(argv):
            sys.stdout.write(self.usage())
            return 0
        try:
            serve(read(argv, os.environ))
        except TrialwatchError as error:
            sys.stderr.write(f"{self.name}: {error}\n")
            return 1 if isinstance(error, RemoteError) else 2
        return 0
