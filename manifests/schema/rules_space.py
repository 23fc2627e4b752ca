"""The rules of the search space, as CEL: what stands in `api.objects.validation_space`."""

from __future__ import annotations

from manifests.schema.rule import Rule, Rules

# Numbers in CEL: what no float can be is refused, and what surely is one is reckoned with. A double
# that is too large is a fault of the rule, hence the lengths.
_NO_NUMBER = r"[^0-9+\\-._eE\\s]"
_NUMBER = r"^[+-]?([0-9]{1,20}[.]?[0-9]{0,20}|[.][0-9]{1,20})([eE][+-]?[0-9]{1,2})?$"
_RANGE = "has(self.parameterType) && self.parameterType in ['double', 'int']"
_LIST = "has(self.parameterType) && self.parameterType in ['categorical', 'discrete']"


_SPACE = "self.feasibleSpace"


def _filled(member: str) -> str:
    """Say in CEL that the space has this member, and that it is not empty."""
    return f"has({_SPACE}) && has({_SPACE}.{member}) && {_SPACE}.{member} != ''"


def _listed() -> str:
    return f"has({_SPACE}) && has({_SPACE}.list) && size({_SPACE}.list) > 0"


def _reckoned(*members: str) -> str:
    """Say in CEL that these members are numbers that can be reckoned with."""
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
        message="is not for parameterType double or int; write min and max, or make it discrete",
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
        holds=f"!({_reckoned('min', 'max')}) || double({_SPACE}.min) <= double({_SPACE}.max)",
        message="is above max; swap the two",
        at=".feasibleSpace.min",
    ),
    Rule(
        holds=f"!({_reckoned('step')}) || double({_SPACE}.step) > 0.0",
        message="must be greater than 0, or left out",
        at=".feasibleSpace.step",
    ),
    Rule(
        holds=f"!({_reckoned('min')} && {_LOGARITHMIC}) || double({_SPACE}.min) > 0.0",
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
        message="min, max and step are not for parameterType discrete or categorical; write a list",
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
