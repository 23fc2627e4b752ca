"""Every exception that trialwatch raises on purpose, sorted by the person who must act.

* TrialwatchError
  * UserError: the user's input is wrong; the message names the value and the remedy
    * SpecError: an object (Experiment, Trial, ...) has faults, each with the path of its field
  * SetupError: the operator's installation is wrong (a flag, a file, a certificate, a database)
  * RemoteError: another program did not do what it was asked to do
    * Unavailable: asking again may succeed

A message says whose fault it is, which value is wrong, and what to do next. Only a `__main__`
turns such an error into an exit status: `UserError` and `SetupError` are 2, `RemoteError` is 1.
"""

from __future__ import annotations

from dataclasses import dataclass


class TrialwatchError(Exception):
    """The base class, which each `__main__` catches."""


class UserError(TrialwatchError):
    """The user's input is wrong: a pattern, a file name, a metric list."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with an object: where it is, what it is, and what to do."""

    path: str
    """The field's path as kubectl writes it, such as `spec.parameters[0].feasibleSpace.min`."""
    message: str
    """What is wrong, which value, and the remedy, in one sentence."""

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class SpecError(UserError):
    """An object has faults. All are reported at once, in the order of the fields."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))


class SetupError(TrialwatchError):
    """The operator's installation is wrong: a flag, a port, a certificate, a database URL."""


class RemoteError(TrialwatchError):
    """Another program refused a request, or its answer cannot be read."""


class Unavailable(RemoteError):
    """Another program did not answer in time; the caller should ask again."""
