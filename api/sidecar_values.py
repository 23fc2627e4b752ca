"""The values of the collector's flags: text in, value out, or a sentence on what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import TypeVar

from api.errors import UserError
from api.faults import nearest, quoted
from api.types import Comparison, LogFormat, StopRule

_Choice = TypeVar("_Choice", bound=StrEnum)

_ADDRESS = re.compile(r"[^\s/]+:([0-9]{1,5})")
# What Go's ParseFloat takes, in decimal; `nan` too, with which a rule is never met.
_NUMBER = re.compile(
    r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|[+-]?inf(?:inity)?|[+-]?nan",
    re.IGNORECASE,
)
_STEP = re.compile(r"\+?[0-9]{1,9}")
_LARGEST_STEP = 10**9 - 1
_RULE_SHAPE = "NAME;VALUE;COMPARISON;START_STEP as in loss;0.5;greater;3"


def read_list(text: str) -> tuple[str, ...]:
    """Split a list that is joined by `;`, as it is."""
    return tuple(text.split(";"))


def read_choice(kind: type[_Choice]) -> Callable[[str], _Choice]:
    """Make the reader of one of a few words."""

    def read(text: str) -> _Choice:
        words = [member.value for member in kind if member.value]
        try:
            return kind(text)
        except ValueError:
            near = nearest(text, words)
            raise UserError(f"{quoted(text)} is not one of {', '.join(words)}{near}") from None

    return read


def read_format(text: str) -> LogFormat | None:
    """Read a format; Katib's webhook writes "" where an Experiment does not say."""
    return read_choice(LogFormat)(text) if text else None


def read_rule(text: str) -> StopRule:
    """Read `name;value;comparison;startStep`."""
    parts = text.split(";")
    if len(parts) != len(("name", "value", "comparison", "start step")):
        raise UserError(f"{quoted(text)} is no stop rule; write {_RULE_SHAPE}")
    name, value, comparison, step = parts
    if _STEP.fullmatch(step) is None:
        raise UserError(
            f"{quoted(text)}: the start step {quoted(step)} is no count; write {_RULE_SHAPE}"
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
    """Say why a stop rule cannot be written or obeyed."""
    shown = quoted(write_rule(rule))
    if not rule.name or ";" in rule.name:
        yield f"{shown}: the name is empty or has a `;`; write {_RULE_SHAPE}"
    if _NUMBER.fullmatch(rule.value) is None:
        yield f"{shown}: the value {quoted(rule.value)} is no number; write {_RULE_SHAPE}"
    if not 0 <= rule.start_step <= _LARGEST_STEP:
        yield f"{shown}: the start step is not from 0 to {_LARGEST_STEP}; write {_RULE_SHAPE}"


def complaints_of_name(name: str) -> Iterator[str]:
    """Say why a metric's name cannot be passed on."""
    if not name or ";" in name:
        yield (f"{quoted(name)} is no metric's name; write names joined by `;`, none of them empty")


def complaints_of_address(address: str) -> Iterator[str]:
    """Say why nobody can be called at an address; "" is none, and no fault here."""
    match = _ADDRESS.fullmatch(address)
    if address and (match is None or not 0 < int(match[1]) < 2**16):
        yield f"{quoted(address)} is no address; write HOST:PORT"
