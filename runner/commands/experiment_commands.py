"""Check the commands of an Experiment before its first trial."""

from __future__ import annotations

import re

from api.documents import mapping_at
from api.errors import UserError
from api.objects.yamltext import load_objects
from api.types import Json, JsonObject, TrialTemplate
from runner.commands.container_commands import CommandFaults, Host, command_faults
from runner.commands.script_words import UNKNOWN
from runner.experiments import LoadedExperiment
from runner.jobs.job_spec import POD
from runner.pods.pod_spec import read_pod

_PLACEHOLDER = re.compile(r"\$\{trialParameters\..+?\}")
_TEMPLATE = "spec.trialTemplate"


def experiment_command_faults(given: LoadedExperiment, host: Host) -> CommandFaults:
    """Check the commands of all containers of a trial.

    A template that cannot be read without the values of a trial is not checked.
    """
    template = given.experiment.spec.trial_template
    if template is None:
        return CommandFaults()
    try:
        job = _job(template, given.template)
        if job is None:
            return CommandFaults()
        bare = (job.get("apiVersion"), job.get("kind")) == POD
        pod = read_pod(job if bare else mapping_at(job, "spec", "template"))
    except UserError:  # its other faults are reported by `runner.experiments`
        return CommandFaults()
    source = "configMap" if template.trial_spec is None else "trialSpec"
    place = "spec" if bare else "spec.template.spec"
    return command_faults(pod, f"{_TEMPLATE}.{source}.{place}", host)


def _job(template: TrialTemplate, text: str | None) -> JsonObject | None:
    """Return the job with `UNKNOWN` in place of each trial parameter."""
    if template.trial_spec is not None:
        marked = _marked(template.trial_spec)
        return marked if isinstance(marked, dict) else None
    if text is None:
        return None
    documents = load_objects(text, lambda scalar: _PLACEHOLDER.sub(UNKNOWN, scalar))
    return documents[0] if len(documents) == 1 else None


def _marked(value: Json) -> Json:
    if isinstance(value, str):
        return _PLACEHOLDER.sub(UNKNOWN, value)
    if isinstance(value, dict):
        return {name: _marked(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_marked(part) for part in value]
    return value
