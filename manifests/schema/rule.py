"""One rule of a CRD, and the forms that return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from api.objects.rendering import present
from api.types import Json

Why = Literal["FieldValueInvalid", "FieldValueRequired", "FieldValueForbidden"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A CEL expression that holds, and what is said where it does not."""

    holds: str
    message: str
    at: str = ""
    """The member that is at fault, such as `.objective`; without it, the place of the rule."""
    why: Why = "FieldValueInvalid"
    creation_too: bool = False
    """It looks at the old object, and is asked where there is none as well."""

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
"""By the path of a place in an Experiment; `[]` is any item of a list."""


def there(member: str, message: str) -> Rule:
    """Ask for a member."""
    return Rule(
        holds=f"has(self.{member})", message=message, at=f".{member}", why="FieldValueRequired"
    )


def said(member: str, message: str) -> Rule:
    """Ask for a text that is not empty."""
    return Rule(
        holds=f"has(self.{member}) && self.{member} != ''",
        message=message,
        at=f".{member}",
        why="FieldValueRequired",
    )
