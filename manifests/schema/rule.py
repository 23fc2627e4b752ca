"""A validation rule of a CRD, and two common kinds of rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from api.objects.rendering import present
from api.types import Json

Why = Literal["FieldValueInvalid", "FieldValueRequired", "FieldValueForbidden"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A CEL expression that must hold, and the message if it does not."""

    holds: str
    message: str
    at: str = ""
    """The member at fault, such as `.objective`; empty: the field that has the rule."""
    why: Why = "FieldValueInvalid"
    creation_too: bool = False
    """Whether a rule that reads the old object also applies when there is none."""

    def written(self) -> dict[str, Json]:
        """Write an entry of `x-kubernetes-validations`."""
        return present(
            {
                "rule": self.holds,
                "message": self.message,
                "fieldPath": self.at,
                "reason": self.why,
                "optionalOldSelf": self.creation_too or None,
            }
        )


Rules = dict[str, tuple[Rule, ...]]
"""Rules by the path of a field of an Experiment; `[]` stands for any item of a list."""


def present_member(member: str, message: str) -> Rule:
    """Return the rule that a member must be present."""
    return Rule(
        holds=f"has(self.{member})", message=message, at=f".{member}", why="FieldValueRequired"
    )


def filled(member: str, message: str) -> Rule:
    """Return the rule that a member must be a text that is not empty."""
    return Rule(
        holds=f"has(self.{member}) && self.{member} != ''",
        message=message,
        at=f".{member}",
        why="FieldValueRequired",
    )
