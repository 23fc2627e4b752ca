"""Every exception that we raise on purpose, by who must act.

* TrialwatchError
  * UserError: the user's input is wrong; the message names the value and the remedy
    * SpecError: an object (Experiment, Trial, ...) has faults, each with its field path
  * SetupError: the operator's installation is wrong (a flag, a file, a certificate, a database)
  * RemoteError: another program did not do what was asked of it
    * Unavailable: it may well do so when asked again

A message says whose fault it is, which value, and what to do next. Only a `__main__` turns one
of these into an exit status: `UserError` and `SetupError` are 2, `RemoteError` is 1.
"""

from __future__ import annotations

from dataclasses import dataclass


class TrialwatchError(Exception):
    """The root: `except TrialwatchError` is what a `__main__` does."""


class UserError(TrialwatchError):
    """The user's input is wrong: a pattern, a file name, a metric list."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with an object: where, what was found there, what to do."""

    path: str
    """The field's path as kubectl writes it, such as `spec.parameters[0].feasibleSpace.min`."""
    message: str
    """What is wrong, which value, and the remedy, in one sentence."""

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class SpecError(UserError):
    """An object has faults; all of them are reported at once, in the order of the fields."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))


class SetupError(TrialwatchError):
    """The operator's installation is wrong: a flag, a port, a certificate, a database URL."""


class RemoteError(TrialwatchError):
    """Another program refused, or answered with something that makes no sense."""


class Unavailable(RemoteError):
    """Another program did not answer in time; asking again is the right thing to do."""
