"""`trialTemplate`: the template of each trial's job."""

from __future__ import annotations

from api.types import ConfigMapSource, Json, TrialParameter, TrialTemplate

from .fields import Field
from .rendering import present


def parse_template(f: Field) -> TrialTemplate:
    """Read `trialTemplate`."""
    return TrialTemplate(
        retain=f.at("retain").flag(),
        trial_spec=f.at("trialSpec").mapping(),
        config_map=f.at("configMap").record(_parse_config_map),
        trial_parameters=f.at("trialParameters").records(_parse_trial_parameter),
        primary_pod_labels=f.at("primaryPodLabels").text_map(),
        primary_container_name=f.at("primaryContainerName").text(),
        success_condition=f.at("successCondition").text(),
        failure_condition=f.at("failureCondition").text(),
    )


def _parse_config_map(f: Field) -> ConfigMapSource:
    return ConfigMapSource(
        name=f.at("configMapName").text(),
        namespace=f.at("configMapNamespace").text(),
        path=f.at("templatePath").text(),
    )


def _parse_trial_parameter(f: Field) -> TrialParameter:
    return TrialParameter(
        name=f.at("name").text(),
        description=f.at("description").text(),
        reference=f.at("reference").text(),
    )


def render_template(template: TrialTemplate) -> Json:
    """Write `trialTemplate`."""
    config_map = template.config_map
    return present(
        {
            "retain": template.retain or None,
            "trialSpec": template.trial_spec,
            "configMap": None if config_map is None else _render_config_map(config_map),
            "trialParameters": tuple(_render_trial_parameter(p) for p in template.trial_parameters),
            "primaryPodLabels": dict(template.primary_pod_labels) or None,
            "primaryContainerName": template.primary_container_name,
            "successCondition": template.success_condition,
            "failureCondition": template.failure_condition,
        }
    )


def _render_config_map(source: ConfigMapSource) -> Json:
    return present(
        {
            "configMapName": source.name,
            "configMapNamespace": source.namespace,
            "templatePath": source.path,
        }
    )


def _render_trial_parameter(parameter: TrialParameter) -> Json:
    return present(
        {
            "name": parameter.name,
            "description": parameter.description,
            "reference": parameter.reference,
        }
    )
