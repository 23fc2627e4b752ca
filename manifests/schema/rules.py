"""The rules that the API server checks of an Experiment: CEL expressions in the CRD, by path.

`api.objects.validation` has all of these rules and more, and a test compares the two. So nothing is
refused here that the webhook would accept, and `kubectl apply` finds mistakes without a webhook.

The API server estimates the highest cost of a rule from the limits of lists and texts, and does not
accept a rule that is too expensive. Hence the limits in `documents.MORE`.
"""

from __future__ import annotations

from api.objects.validation import LONGEST_NAME, NAME_RULE
from api.objects.validation_update import MAX_TRIALS_REACHED
from manifests.schema.rule import Rule, Rules, filled, present_member
from manifests.schema.rules_collector import COLLECTOR
from manifests.schema.rules_space import SPACE
from manifests.schema.rules_template import TEMPLATE

_FIXED = (
    "algorithm",
    "earlyStopping",
    "metricsCollectorSpec",
    "nasConfig",
    "objective",
    "parameters",
    "resumePolicy",
    "trialTemplate",
)


def _same(member: str) -> str:
    both = f"has(self.{member}) && has(oldSelf.{member}) && self.{member} == oldSelf.{member}"
    return f"(!has(self.{member}) && !has(oldSelf.{member}) || {both})"


def _count(least: int, message: str) -> tuple[Rule, ...]:
    return (Rule(holds=f"self >= {least}", message=message),)


def _at_most_all(member: str) -> Rule:
    return Rule(
        holds=f"!has(self.{member}) || !has(self.maxTrialCount) || self.maxTrialCount < 1"
        f" || self.{member} <= self.maxTrialCount",
        message="should be less than or equal to spec.maxTrialCount",
        at=f".{member}",
    )


_NAME = "self.metadata.name"
_NAMED_RIGHT = (
    f"{_NAME}.size() <= {LONGEST_NAME} && {_NAME}.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')"
)


def _ended(*types: str, reason: str = "") -> str:
    """Return CEL: the stored experiment has ended in one of these ways."""
    words = ", ".join(f"'{word}'" for word in types)
    because = f" && has(c.reason) && c.reason == '{reason}'" if reason else ""
    return (
        "oldSelf.status.conditions.exists(c, has(c.type) && has(c.status) && c.status == 'True'"
        f" && c.type in [{words}]{because})"
    )


_RESUMED = (
    f"{_ended('Succeeded', reason=MAX_TRIALS_REACHED)} && has(oldSelf.spec.resumePolicy)"
    " && oldSelf.spec.resumePolicy in ['LongRunning', 'FromVolume']"
)
_EXPERIMENT = (
    Rule(
        # An existing object must be able to change, if only to be deleted.
        holds=f"oldSelf.hasValue() || {_NAMED_RIGHT}",
        message=f"metadata.name: {NAME_RULE}",
        creation_too=True,
    ),
    present_member("spec", "must be specified"),
    Rule(
        holds="!has(self.spec) || !has(self.spec.maxTrialCount) || !has(oldSelf.status)"
        " || !has(oldSelf.status.trials) || self.spec.maxTrialCount > oldSelf.status.trials"
        " || has(oldSelf.spec) && has(oldSelf.spec.maxTrialCount)"
        " && self.spec.maxTrialCount == oldSelf.spec.maxTrialCount",
        message="must be greater than status.trials, the number of existing trials",
        at=".spec.maxTrialCount",
    ),
    Rule(
        holds="!has(self.spec) || !has(oldSelf.spec) || self.spec == oldSelf.spec"
        " || !has(oldSelf.status) || !has(oldSelf.status.conditions)"
        f" || !{_ended('Succeeded', 'Failed')} || {_RESUMED}",
        message="the experiment has ended; it can continue only if it reached spec.maxTrialCount"
        " and spec.resumePolicy is LongRunning or FromVolume; create a new experiment",
        at=".spec",
    ),
)

_SPEC = (
    Rule(
        holds=" && ".join(_same(member) for member in _FIXED),
        message="only spec.parallelTrialCount, spec.maxTrialCount and spec.maxFailedTrialCount are"
        " editable; create a new experiment for another search",
        why="FieldValueForbidden",
    ),
    _at_most_all("parallelTrialCount"),
    _at_most_all("maxFailedTrialCount"),
    present_member("objective", "must be specified; set its type and objectiveMetricName"),
    present_member("trialTemplate", "must be specified; write the job that each trial runs"),
    Rule(
        holds="has(self.nasConfig) || has(self.parameters) && size(self.parameters) > 0",
        message="spec.parameters or spec.nasConfig must be specified",
        why="FieldValueRequired",
    ),
    Rule(
        holds="!has(self.nasConfig) || !has(self.parameters) || size(self.parameters) == 0",
        message="only one of spec.parameters and spec.nasConfig can be specified; delete one",
    ),
    Rule(
        holds="!has(self.trialTemplate) || !has(self.trialTemplate.trialParameters)"
        " || !has(self.parameters) || size(self.parameters) == 0"
        " || self.trialTemplate.trialParameters.all(t, !has(t.reference) || t.reference == ''"
        " || t.reference.contains('${trialSpec.')"
        " || self.parameters.exists(p, p.name == t.reference))",
        message="each reference must be the name of one of spec.parameters, or a property of the"
        " trial such as ${trialSpec.Name}",
        at=".trialTemplate.trialParameters",
    ),
)

_OBJECTIVE = (
    Rule(
        holds="has(self.type) && self.type in ['minimize', 'maximize']",
        message="must be minimize or maximize",
        at=".type",
    ),
    filled("objectiveMetricName", "must be specified; write the metric's name as in the log"),
    Rule(
        holds="!has(self.objectiveMetricName) || !self.objectiveMetricName.contains(';')",
        message="must not contain ';', which separates names; rename the metric",
        at=".objectiveMetricName",
    ),
    Rule(
        holds="!has(self.objectiveMetricName) || !has(self.additionalMetricNames)"
        " || !(self.objectiveMetricName in self.additionalMetricNames)",
        message="should not contain spec.objective.objectiveMetricName; delete it from this list",
        at=".additionalMetricNames",
    ),
)

RULES: Rules = {
    "": _EXPERIMENT,
    "spec": _SPEC,
    "spec.maxFailedTrialCount": _count(0, "should not be less than 0"),
    "spec.maxTrialCount": _count(1, "must be greater than 0; delete it to search without a limit"),
    "spec.parallelTrialCount": _count(1, "must be greater than 0; delete it to run 3 at a time"),
    "spec.objective": _OBJECTIVE,
    "spec.objective.additionalMetricNames[]": (
        Rule(
            holds="self != '' && !self.contains(';')",
            message="must be specified, and must not contain ';', which separates names; rename the"
            " metric, or delete the item",
        ),
    ),
    "spec.algorithm": (
        Rule(
            holds="!has(self.algorithmName) || self.algorithmName != ''",
            message="must not be empty; write a name, or leave it out for auto",
            at=".algorithmName",
            why="FieldValueRequired",
        ),
    ),
    "spec.earlyStopping": (
        filled(
            "algorithmName", "must be specified; write medianstop, or delete spec.earlyStopping"
        ),
    ),
    **SPACE,
    **TEMPLATE,
    **COLLECTOR,
}
