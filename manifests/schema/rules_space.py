"""The rules of the search space in CEL; `api.objects.validation_space` has the same."""

from __future__ import annotations

from manifests.schema.rule import Rule, Rules

# Texts with a character that no number has are refused; only texts that are certainly numbers are
# compared. The lengths are limited because a too large double is an error of the rule itself.
_NO_NUMBER = r"[^0-9+\\-._eE\\s]"
_NUMBER = r"^[+-]?([0-9]{1,20}[.]?[0-9]{0,20}|[.][0-9]{1,20})([eE][+-]?[0-9]{1,2})?$"
_RANGE = "has(self.parameterType) && self.parameterType in ['double', 'int']"
_LIST = "has(self.parameterType) && self.parameterType in ['categorical', 'discrete']"


_SPACE = "self.feasibleSpace"


def _filled(member: str) -> str:
    """Return CEL: the space has this member, and it is not empty."""
    return f"has({_SPACE}) && has({_SPACE}.{member}) && {_SPACE}.{member} != ''"


def _listed() -> str:
    return f"has({_SPACE}) && has({_SPACE}.list) && size({_SPACE}.list) > 0"


def _numeric(*members: str) -> str:
    """Return CEL: these members are numbers that CEL can compute with."""
    return f"{_RANGE} && " + " && ".join(
        f"{_filled(member)} && {_SPACE}.{member}.matches('{_NUMBER}')" for member in members
    )


_LOGARITHMIC = f"has({_SPACE}.distribution) && {_SPACE}.distribution in ['logUniform', 'logNormal']"

_PARAMETER = (
    Rule(holds="self.name != ''", message="must be specified", at=".name"),
    Rule(
        holds="has(self.parameterType) && !(self.parameterType in ['', 'unknown'])",
        message="must be double, int, discrete or categorical",
        at=".parameterType",
    ),
    Rule(
        holds=f"{_filled('min')} || {_filled('max')} || {_filled('step')} || {_listed()}",
        message="must be specified; write min and max, or a list",
        at=".feasibleSpace",
        why="FieldValueRequired",
    ),
    Rule(
        holds=f"!({_RANGE}) || !({_listed()})",
        message="must not be set for parameterType double or int; write min and max, or use"
        " parameterType discrete",
        at=".feasibleSpace.list",
    ),
    Rule(
        holds=f"!({_RANGE}) || {_filled('min')} && {_filled('max')}",
        message="min and max must be specified for parameterType double or int; write both",
        at=".feasibleSpace",
        why="FieldValueRequired",
    ),
    *(
        Rule(
            holds=f"!({_RANGE}) || !({_filled(member)})"
            f" || !{_SPACE}.{member}.matches('{_NO_NUMBER}')",
            message="must be a number for parameterType double or int",
            at=f".feasibleSpace.{member}",
        )
        for member in ("min", "max", "step")
    ),
    Rule(
        holds=f"!({_numeric('min', 'max')}) || double({_SPACE}.min) <= double({_SPACE}.max)",
        message="must not be greater than max; swap the two",
        at=".feasibleSpace.min",
    ),
    Rule(
        holds=f"!({_numeric('step')}) || double({_SPACE}.step) > 0.0",
        message="must be greater than 0; correct it or delete it",
        at=".feasibleSpace.step",
    ),
    Rule(
        holds=f"!({_numeric('min')} && {_LOGARITHMIC}) || double({_SPACE}.min) > 0.0",
        message="must be greater than 0 for distribution logUniform or logNormal",
        at=".feasibleSpace.min",
    ),
    Rule(
        holds=f"!({_LIST}) || {_listed()}",
        message="must be specified for parameterType discrete or categorical",
        at=".feasibleSpace.list",
        why="FieldValueRequired",
    ),
    Rule(
        holds=f"!({_LIST}) || !({_filled('min')}) && !({_filled('max')}) && !({_filled('step')})",
        message="min, max and step must not be set for parameterType discrete or categorical; write"
        " a list",
        at=".feasibleSpace",
    ),
)

_DISTRIBUTION = (
    Rule(
        holds="!has(self.distribution) || self.distribution != 'unknown'",
        message="must be uniform, logUniform, normal or logNormal",
        at=".distribution",
    ),
)

SPACE: Rules = {
    "spec.parameters[]": _PARAMETER,
    "spec.parameters[].feasibleSpace": _DISTRIBUTION,
}
