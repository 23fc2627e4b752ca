"""Read the values of the collector's flags, and describe what is wrong with a value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from api.durations import parse_duration
from api.errors import UserError
from api.faults import nearest, quoted
from api.types import Comparison, LogFormat, StopRule

_Choice = TypeVar("_Choice", bound=StrEnum)

_ADDRESS = re.compile(r"[^\s/]+:([0-9]{1,5})")
_SOCKET = re.compile(r"unix:/[^\s]+")
"""A Unix socket, for collectors of `trialwatch run`."""
# The decimal numbers that Go's ParseFloat accepts; with `nan`, a rule is never met.
_NUMBER = re.compile(
    r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|[+-]?inf(?:inity)?|[+-]?nan",
    re.IGNORECASE,
)
_STEP = re.compile(r"\+?[0-9]{1,9}")
_LARGEST_STEP = 10**9 - 1
_RULE_SHAPE = "NAME;VALUE;COMPARISON;START_STEP, such as loss;0.5;greater;3"


def read_list(text: str) -> tuple[str, ...]:
    """Split a list at each `;`; items stay as they are."""
    return tuple(text.split(";"))


def read_seconds(text: str) -> timedelta:
    """Read a duration; a whole number is seconds, as Katib's collector of event files has it."""
    return parse_duration(f"{text}s" if text.isdecimal() and text.isascii() else text)


class LogLevel(StrEnum):
    """The level of a message, the least first."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def read_choice(kind: type[_Choice]) -> Callable[[str], _Choice]:
    """Return a function that reads one member of an enum."""

    def read(text: str) -> _Choice:
        words = [member.value for member in kind if member.value]
        try:
            return kind(text)
        except ValueError:
            near = nearest(text, words)
            raise UserError(f"{quoted(text)} is not one of {', '.join(words)}{near}") from None

    return read


def read_format(text: str) -> LogFormat | None:
    """Read a format; Katib's webhook writes "" if the Experiment has none."""
    return read_choice(LogFormat)(text) if text else None


def read_rule(text: str) -> StopRule:
    """Read `name;value;comparison;startStep`."""
    parts = text.split(";")
    if len(parts) != len(("name", "value", "comparison", "start step")):
        raise UserError(f"{quoted(text)} is not a stop rule; write {_RULE_SHAPE}")
    name, value, comparison, step = parts
    if _STEP.fullmatch(step) is None:
        raise UserError(
            f"{quoted(text)}: the start step {quoted(step)} is not a whole number;"
            f" write {_RULE_SHAPE}"
        )
    return StopRule(
        name=name,
        value=value,
        comparison=read_choice(Comparison)(comparison),
        start_step=int(step),
    )


def write_rule(rule: StopRule) -> str:
    """Write a stop rule as `read_rule` reads it."""
    return f"{rule.name};{rule.value};{rule.comparison.value};{rule.start_step}"


def complaints_of_rule(rule: StopRule) -> Iterator[str]:
    """Yield why a stop rule cannot be written or applied."""
    shown = quoted(write_rule(rule))
    if not rule.name or ";" in rule.name:
        yield f"{shown}: the name is empty or contains `;`; write {_RULE_SHAPE}"
    if _NUMBER.fullmatch(rule.value) is None:
        yield f"{shown}: the value {quoted(rule.value)} is not a number; write {_RULE_SHAPE}"
    if not 0 <= rule.start_step <= _LARGEST_STEP:
        yield f"{shown}: the start step is not from 0 to {_LARGEST_STEP}; write {_RULE_SHAPE}"


def complaints_of_name(name: str) -> Iterator[str]:
    """Yield why a metric's name cannot be written into the list."""
    if not name or ";" in name:
        yield (
            f"{quoted(name)} is not a metric name; write names separated by `;`, none of them empty"
        )


def complaints_of_address(address: str) -> Iterator[str]:
    """Yield why an address cannot be called; "" means no address, which is allowed here."""
    if _SOCKET.fullmatch(address):
        return
    match = _ADDRESS.fullmatch(address)
    if address and (match is None or not 0 < int(match[1]) < 2**16):
        yield f"{quoted(address)} is not an address; write HOST:PORT, such as 127.0.0.1:6789"
