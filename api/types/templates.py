"""The form from which each trial's job is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .freeform import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialParameter:
    """What `${trialParameters.NAME}` in the template is replaced by.

    `reference` is the name of a search parameter, or a fact of the trial: `${trialSpec.Name}`.
    """

    name: str
    reference: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigMapSource:
    """A template that is kept as text in a ConfigMap, under the key `path`."""

    name: str = ""
    namespace: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialTemplate:
    """The job's form, from `trial_spec` or `config_map` (one of them), and how to read the job."""

    retain: bool = False
    """Keep the job (and its logs) when the trial has ended."""
    trial_spec: JsonObject | None = None
    config_map: ConfigMapSource | None = None
    trial_parameters: tuple[TrialParameter, ...] = ()
    primary_pod_labels: Mapping[str, str] = field(default_factory=dict)
    """Labels of the one pod whose metrics count, where a job has many pods."""
    primary_container_name: str = ""
    success_condition: str = ""
    """A GJSON expression over the job; so is `failure_condition`."""
    failure_condition: str = ""
