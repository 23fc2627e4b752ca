"""What the API server itself checks of an Experiment, as CEL in its CRD, by the place it is at.

Nothing is refused here that `api.objects.validation` lets pass, for it knows the same rules and
more of them; a test compares the two. So `kubectl apply` refuses nonsense without a webhook too.

Two numbers decide what can be a rule: by the bounds of lists and texts the API server reckons what
a rule may cost at most, and takes none that costs too much.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from api.objects.defaults import OUTCOMES
from api.objects.rendering import present
from api.objects.validation import LONGEST_NAME, NAME_RULE
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


def _said(member: str, message: str) -> Rule:
    """A text that is not empty."""
    holds = f"has(self.{member}) && self.{member} != ''"
    return Rule(holds=holds, message=message, at=f".{member}", why="FieldValueRequired")


def _there(member: str, message: str) -> Rule:
    holds = f"has(self.{member})"
    return Rule(holds=holds, message=message, at=f".{member}", why="FieldValueRequired")


_BUDGET = ("parallelTrialCount", "maxTrialCount", "maxFailedTrialCount")
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
_KINDS = ", ".join(f"'{kind}'" for kind in OUTCOMES)
# Numbers in CEL: what no float can be is refused, and what surely is one is reckoned with. A double
# that is too large is a fault of the rule, hence the lengths.
_NO_NUMBER = r"[^0-9+\\-._eE\\s]"
_NUMBER = r"^[+-]?([0-9]{1,20}[.]?[0-9]{0,20}|[.][0-9]{1,20})([eE][+-]?[0-9]{1,2})?$"
_RANGE = "has(self.parameterType) && self.parameterType in ['double', 'int']"
_LIST = "has(self.parameterType) && self.parameterType in ['categorical', 'discrete']"


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


def _named_right(at: str) -> str:
    return rf"{at}.size() <= {LONGEST_NAME} && {at}.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')"


_EXPERIMENT = (
    Rule(
        holds=f"oldSelf.hasValue() || {_named_right('self.metadata.name')}",
        message=f"metadata.name: {NAME_RULE}",
        creation_too=True,
    ),
    _there("spec", "must be specified"),
    Rule(
        holds="!has(self.spec) || !has(self.spec.maxTrialCount) || !has(oldSelf.status)"
        " || !has(oldSelf.status.trials) || has(oldSelf.spec) && self.spec == oldSelf.spec"
        " || self.spec.maxTrialCount > oldSelf.status.trials",
        message="must be greater than status.trials, the number of trials that there are already",
        at=".spec.maxTrialCount",
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
    _there("objective", "must be specified; give it a type and an objectiveMetricName"),
    _there("algorithm", "must be specified; algorithmName: random is a start"),
    _there("trialTemplate", "must be specified; write the job that each trial runs"),
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
        message="each reference must be the name of one of spec.parameters, or a fact of the trial"
        " such as ${trialSpec.Name}",
        at=".trialTemplate.trialParameters",
    ),
)

_OBJECTIVE = (
    Rule(
        holds="has(self.type) && self.type in ['minimize', 'maximize']",
        message="must be minimize or maximize",
        at=".type",
    ),
    _said("objectiveMetricName", "must be specified; write the metric's name as the log has it"),
    Rule(
        holds="!has(self.objectiveMetricName) || !self.objectiveMetricName.contains(';')",
        message="must not contain ';', which parts names; rename it",
        at=".objectiveMetricName",
    ),
    Rule(
        holds="!has(self.objectiveMetricName) || !has(self.additionalMetricNames)"
        " || !(self.objectiveMetricName in self.additionalMetricNames)",
        message="should not contain spec.objective.objectiveMetricName; delete it there",
        at=".additionalMetricNames",
    ),
)

_SPACE_PATH = "self.feasibleSpace"


def _filled(member: str) -> str:
    """The parameter's space has this member, and it is not empty."""
    return f"has({_SPACE_PATH}) && has({_SPACE_PATH}.{member}) && {_SPACE_PATH}.{member} != ''"


def _listed() -> str:
    return f"has({_SPACE_PATH}) && has({_SPACE_PATH}.list) && size({_SPACE_PATH}.list) > 0"


def _reckoned(*members: str) -> str:
    """Of these members it is known that they are numbers."""
    return f"{_RANGE} && " + " && ".join(
        f"{_filled(member)} && {_SPACE_PATH}.{member}.matches('{_NUMBER}')" for member in members
    )


_LOGARITHMIC = (
    f"has({_SPACE_PATH}.distribution) && {_SPACE_PATH}.distribution in ['logUniform', 'logNormal']"
)

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
            f" || !{_SPACE_PATH}.{member}.matches('{_NO_NUMBER}')",
            message="must be a number for parameterType double or int",
            at=f".feasibleSpace.{member}",
        )
        for member in ("min", "max", "step")
    ),
    Rule(
        holds=f"!({_reckoned('min', 'max')})"
        f" || double({_SPACE_PATH}.min) <= double({_SPACE_PATH}.max)",
        message="is above max; swap the two",
        at=".feasibleSpace.min",
    ),
    Rule(
        holds=f"!({_reckoned('step')}) || double({_SPACE_PATH}.step) > 0.0",
        message="must be greater than 0, or left out",
        at=".feasibleSpace.step",
    ),
    Rule(
        holds=f"!({_reckoned('min')} && {_LOGARITHMIC}) || double({_SPACE_PATH}.min) > 0.0",
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

_SPACE = (
    Rule(
        holds="!has(self.distribution) || self.distribution != 'unknown'",
        message="must be uniform, logUniform, normal or logNormal",
        at=".distribution",
    ),
)

_TEMPLATE = (
    _said("primaryContainerName", "must be specified; write the container that trains"),
    _there(
        "trialParameters",
        "must be specified; name here what each ${trialParameters.NAME} stands for",
    ),
    Rule(
        holds="has(self.trialSpec) || has(self.configMap)",
        message="trialSpec or configMap must be specified",
        why="FieldValueRequired",
    ),
    Rule(
        holds="!has(self.trialSpec) || !has(self.configMap)",
        message="only one of trialSpec and configMap can be specified; delete one",
    ),
    Rule(
        holds="has(self.successCondition) && self.successCondition != ''"
        " && has(self.failureCondition) && self.failureCondition != ''"
        f" || has(self.trialSpec) && has(self.trialSpec.kind) && self.trialSpec.kind in [{_KINDS}]",
        message="successCondition and failureCondition must be specified; only jobs of well-known"
        " kinds in trialSpec have defaults",
        why="FieldValueRequired",
    ),
)

_TRIAL_SPEC = (
    Rule(
        holds="has(self.apiVersion) && self.apiVersion != '' && has(self.kind) && self.kind != ''",
        message="apiVersion and kind must be specified",
        why="FieldValueRequired",
    ),
)

_OMITTED = (
    Rule(
        holds="self == ''",
        message="metadata.name and metadata.namespace must be omitted, for each trial gets its own;"
        " delete them",
    ),
)

_CONFIG_MAP = (
    _said("configMapName", "must be specified"),
    _said("configMapNamespace", "must be specified"),
    _said("templatePath", "must be specified; it is the key in the ConfigMap"),
)

_TRIAL_PARAMETER = (
    Rule(
        holds="self.name != '' && !self.name.contains('{') && !self.name.contains('}')",
        message="must be specified and must not contain '{' or '}'",
        at=".name",
    ),
    _said("reference", "must be specified; write the name of a parameter"),
)


def _is(kind: str) -> str:
    return f"has(self.collector) && has(self.collector.kind) && self.collector.kind == '{kind}'"


def _not(kind: str) -> str:
    return f"!({_is(kind)})"


_PLACE = "self.source.fileSystemPath"


def _place(*, kind: str, path_kind: str) -> Rule:
    return Rule(
        holds=f"{_not(kind)} || !has(self.source) || !has({_PLACE})"
        f" || (!has({_PLACE}.kind) || {_PLACE}.kind in ['', '{path_kind}'])"
        f" && (!has({_PLACE}.path) || {_PLACE}.path == '' || {_PLACE}.path.startsWith('/'))",
        message=f"for collector kind {kind} it is a path from /, and of kind {path_kind}",
        at=".source.fileSystemPath",
    )


_COLLECTOR = (
    _place(kind="File", path_kind="File"),
    _place(kind="TensorFlowEvent", path_kind="Directory"),
    Rule(
        holds=f"{_not('File')} || !has(self.source) || !has({_PLACE}) || !has({_PLACE}.format)"
        f" || {_PLACE}.format != 'JSON' || !has(self.source.filter)",
        message="filter must be nil when format of metrics file is json; delete it",
        at=".source.filter",
    ),
    Rule(
        holds=f"{_not('TensorFlowEvent')} || !has(self.source) || !has({_PLACE})"
        f" || !has({_PLACE}.format) || {_PLACE}.format == ''",
        message="format must be empty for collector kind TensorFlowEvent; delete it",
        at=".source.fileSystemPath",
    ),
    Rule(
        holds=f"{_not('PrometheusMetric')} || !has(self.source) || !has(self.source.httpGet)"
        " || !has(self.source.httpGet.path) || self.source.httpGet.path == ''"
        " || self.source.httpGet.path.startsWith('/')",
        message="path must begin with / for collector kind PrometheusMetric",
        at=".source.httpGet",
    ),
    Rule(
        holds=f"{_not('Custom')} || has(self.collector.customCollector)",
        message="customCollector must be specified for collector kind Custom; write the container"
        " that collects",
        at=".collector",
        why="FieldValueRequired",
    ),
    Rule(
        holds=f"{_is('Push')} || !has(self.source) || !has(self.source.filter)"
        " || !has(self.source.filter.metricsFormat)"
        " || self.source.filter.metricsFormat.all(f, f.matches('(?s)[(].*[(]'))",
        message="each metricsFormat needs two groups, for the name and the value:"
        r" ([\w-]+)\s*=\s*([0-9.]+)",
        at=".source.filter",
    ),
)

RULES: dict[str, tuple[Rule, ...]] = {
    "": _EXPERIMENT,
    "spec": _SPEC,
    "spec.maxFailedTrialCount": _count(0, "should not be less than 0"),
    "spec.maxTrialCount": _count(1, "must be greater than 0; delete it to search without a limit"),
    "spec.parallelTrialCount": _count(1, "must be greater than 0; delete it to run 3 at a time"),
    "spec.objective": _OBJECTIVE,
    "spec.objective.additionalMetricNames[]": (
        Rule(
            holds="self != '' && !self.contains(';')",
            message="must be specified, and must not contain ';', which parts names; rename it or"
            " delete the item",
        ),
    ),
    "spec.algorithm": (_said("algorithmName", "must be specified; random is a start"),),
    "spec.earlyStopping": (
        _said("algorithmName", "must be specified; write medianstop, or delete spec.earlyStopping"),
    ),
    "spec.parameters[]": _PARAMETER,
    "spec.parameters[].feasibleSpace": _SPACE,
    "spec.trialTemplate": _TEMPLATE,
    "spec.trialTemplate.trialSpec": _TRIAL_SPEC,
    "spec.trialTemplate.trialSpec.metadata.name": _OMITTED,
    "spec.trialTemplate.trialSpec.metadata.namespace": _OMITTED,
    "spec.trialTemplate.configMap": _CONFIG_MAP,
    "spec.trialTemplate.trialParameters[]": _TRIAL_PARAMETER,
    "spec.metricsCollectorSpec": _COLLECTOR,
}
"""By the path of a place in an Experiment; `[]` is any item of a list."""
