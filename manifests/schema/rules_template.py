"""The rules of `trialTemplate` in CEL; `api.objects.validation_template` has these and more."""

from __future__ import annotations

from api.objects.defaults import OUTCOMES
from manifests.schema.rule import Rule, Rules, filled, present_member

_KINDS = ", ".join(f"'{kind}'" for kind in OUTCOMES)

_TEMPLATE = (
    filled(
        "primaryContainerName", "must be specified; write the name of the container that trains"
    ),
    present_member(
        "trialParameters",
        "must be specified; list each NAME of ${trialParameters.NAME} in the template",
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
        message="successCondition and failureCondition must be specified; only the well-known kinds"
        " of jobs in trialSpec have defaults",
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
        message="metadata.name and metadata.namespace must be omitted, because the controller sets"
        " them for each trial; delete them",
    ),
)

_CONFIG_MAP = (
    filled("configMapName", "must be specified"),
    filled("configMapNamespace", "must be specified"),
    filled("templatePath", "must be specified; write the key in the ConfigMap"),
)

_TRIAL_PARAMETER = (
    Rule(
        holds="self.name != '' && !self.name.contains('{') && !self.name.contains('}')",
        message="must be specified and must not contain '{' or '}'",
        at=".name",
    ),
    filled("reference", "must be specified; write the name of a parameter"),
)

TEMPLATE: Rules = {
    "spec.trialTemplate": _TEMPLATE,
    "spec.trialTemplate.trialSpec": _TRIAL_SPEC,
    "spec.trialTemplate.trialSpec.metadata.name": _OMITTED,
    "spec.trialTemplate.trialSpec.metadata.namespace": _OMITTED,
    "spec.trialTemplate.configMap": _CONFIG_MAP,
    "spec.trialTemplate.trialParameters[]": _TRIAL_PARAMETER,
}
