"""The template of each trial's job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .freeform import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialParameter:
    """What replaces `${trialParameters.NAME}` in the template.

    `reference` is the name of a search parameter, or trial metadata such as `${trialSpec.Name}`.
    """

    name: str
    reference: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigMapSource:
    """A template that is the text of a ConfigMap's key `path`."""

    name: str = ""
    namespace: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialTemplate:
    """The job's template (`trial_spec` or `config_map`), and how to read the job's state."""

    retain: bool = False
    """Whether the job (with its logs) is kept after the trial has ended."""
    trial_spec: JsonObject | None = None
    config_map: ConfigMapSource | None = None
    trial_parameters: tuple[TrialParameter, ...] = ()
    primary_pod_labels: Mapping[str, str] = field(default_factory=dict)
    """Labels of the pod whose metrics count, if a job has several pods."""
    primary_container_name: str = ""
    success_condition: str = ""
    """A GJSON expression over the job, like `failure_condition`."""
    failure_condition: str = ""
