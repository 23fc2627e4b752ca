"""The rules that depend on the installation: its algorithms, collectors and kinds of trials."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from api import names
from api.algorithms import ALGORITHMS, EARLY_STOPPING, WITH_CHECKPOINTS
from api.errors import Fault, SpecError
from api.faults import forbidden, invalid, nearest, required
from api.installation.trial_kinds import kind_of
from api.objects.enqueued import PATH as ENQUEUE_PATH
from api.objects.fields import Field
from api.objects.push import may_push
from api.objects.validation_template import described_job
from api.types import (
    CollectorKind,
    Experiment,
    ExperimentSpec,
    JsonObject,
    ResumePolicy,
    TrialTemplate,
)
from stopping.registry import stopping_of
from webhook.model.config import Config

_SIDECARS: Final = (
    CollectorKind.STDOUT,
    CollectorKind.FILE,
    CollectorKind.TENSORFLOW_EVENT,
    CollectorKind.PROMETHEUS_METRIC,
)
_NO_STOP_RULES: Final = (CollectorKind.PUSH, CollectorKind.CUSTOM)
_RESTARTS: Final = ("Never", "OnFailure")


def faults_of_installation(
    spec: ExperimentSpec, config: Config, template_text: str | None = None
) -> Iterator[Fault]:
    """List the faults that would keep every trial from running in this installation.

    `template_text` is the text of the template in `trialTemplate.configMap`; None: not fetched.
    """
    if spec.algorithm is not None and spec.algorithm.name:
        yield from _unknown(
            "Suggestion",
            spec.algorithm.name,
            (*ALGORITHMS, *sorted(config.suggestions - set(ALGORITHMS))),
        )
        yield from _volume_faults(spec, spec.algorithm.name, config)
    if spec.early_stopping is not None and spec.early_stopping.name:
        yield from _stopping_faults(spec, spec.early_stopping.name, template_text, config)
    if spec.collector is not None:
        yield from _collector_faults(spec.collector.kind, config)
    template = spec.trial_template
    if template is not None and template.primary_container_name == names.COLLECTOR_CONTAINER:
        why = "is the name of the sidecar; rename the container that trains"
        path = "spec.trialTemplate.primaryContainerName"
        yield invalid(path, template.primary_container_name, why)
    if template is not None and template.trial_spec is not None:
        yield from _restart_faults(template.trial_spec)
    if template is not None:
        yield from _kind_faults(template, template_text, config)


def _stopping_faults(
    spec: ExperimentSpec, name: str, template_text: str | None, config: Config
) -> Iterator[Fault]:
    """Check the early stopping: the controller's own rules, or a service of katib-config."""
    services = config.services.early_stoppings
    if name in services:
        yield from _unchecked_rules(spec, name, template_text)
        return
    unknown = tuple(_unknown("EarlyStopping", name, (*EARLY_STOPPING, *sorted(services.keys()))))
    yield from unknown
    if not unknown:
        try:
            stopping_of(spec)
        except SpecError as error:
            yield from error.faults


def _unchecked_rules(spec: ExperimentSpec, name: str, template_text: str | None) -> Iterator[Fault]:
    """Refuse collectors that do not apply the rules which a service gives to new trials."""
    if spec.collector is None or spec.collector.kind not in _NO_STOP_RULES:
        return
    kind, template = spec.collector.kind, spec.trial_template
    job = described_job(template, template_text) if template else None
    if kind is CollectorKind.PUSH and may_push(job):
        return
    why = (
        f"no trial can be stopped early by the service of {name} with the collector kind {kind},"
        " because only trialwatch's own collector checks its rules; delete spec.earlyStopping, or"
        f" write one of the rules that the controller judges: {', '.join(EARLY_STOPPING[1:])}"
    )
    yield forbidden("spec.earlyStopping", why)


def faults_of_enqueued(experiment: Experiment, config: Config) -> Iterator[Fault]:
    """Refuse points by hand for a service that may be Katib's: those of Optuna fail with them."""
    algorithm = experiment.spec.algorithm
    if (
        names.ENQUEUE_ANNOTATION in experiment.metadata.annotations
        and algorithm is not None
        and algorithm.name in config.suggestions
    ):
        why = (
            f"{names.CONFIG_MAP} lists a service for {algorithm.name}, which may refuse trials that"
            " it did not choose; delete the annotation, or take an algorithm without an entry"
        )
        yield forbidden(ENQUEUE_PATH, why)


def _kind_faults(
    template: TrialTemplate, template_text: str | None, config: Config
) -> Iterator[Fault]:
    """Check the kind of the trials' job; a kind with a placeholder in it is never allowed."""
    job = described_job(template, template_text)
    if job is None or not (job.get("apiVersion") and job.get("kind")):
        return
    refusal = config.trial_kinds.refusal(kind_of(job))
    if refusal:
        source = "trialSpec" if template.trial_spec is not None else "configMap"
        yield forbidden(f"spec.trialTemplate.{source}", refusal)


def _restart_faults(job: JsonObject) -> Iterator[Fault]:
    """Check the restartPolicy of a Job as the API server does."""
    if (job.get("apiVersion"), job.get("kind")) != ("batch/v1", "Job"):
        return
    pod = Field(job, "spec.trialTemplate.trialSpec").at("spec").at("template").at("spec")
    policy = pod.at("restartPolicy")
    if not isinstance(pod.value, Mapping) or "${" in str(policy.value):
        return
    if policy.value in (None, ""):
        yield required(policy.path, "must be specified; write Never, or OnFailure")
    elif policy.value not in _RESTARTS:
        yield invalid(policy.path, policy.value, "must be Never or OnFailure for a Job")


def _volume_faults(spec: ExperimentSpec, algorithm: str, config: Config) -> Iterator[Fault]:
    """Check that the trials of an algorithm with checkpoints get the volume that they mount."""
    if algorithm not in WITH_CHECKPOINTS:
        return
    if algorithm not in config.suggestions:
        why = (
            "its trials share a volume of checkpoints, so it needs a service of its own; list it"
            f" under runtime.suggestions of {names.CONFIG_MAP} with an image"
            " (docs/algorithms.md has an entry)"
        )
        yield invalid("spec.algorithm.algorithmName", algorithm, why)
    elif algorithm not in config.deployed_searches:
        why = (
            "its trials share a volume of checkpoints, which only a service that is deployed for"
            f" the experiment has; write an image in place of the endpoint under"
            f" runtime.suggestions of {names.CONFIG_MAP} (docs/algorithms.md has an entry)"
        )
        yield invalid("spec.algorithm.algorithmName", algorithm, why)
    elif spec.resume_policy is not ResumePolicy.FROM_VOLUME:
        policy = spec.resume_policy.value if spec.resume_policy else ""
        why = f"{algorithm} needs a volume for the checkpoints of its trials; write FromVolume"
        yield invalid("spec.resumePolicy", policy, why)


_SECTIONS: Final = {
    "Suggestion": ("spec.algorithm.algorithmName", "runtime.suggestions"),
    "EarlyStopping": ("spec.earlyStopping.algorithmName", "runtime.earlyStoppings"),
}


def _unknown(what: str, name: str, known: tuple[str, ...]) -> Iterator[Fault]:
    if name in known:
        return
    path, section = _SECTIONS[what]
    listed = f"; write one of {', '.join(known)}"
    near = nearest(name, known) or listed
    why = (
        f"unable to get {what} config data for algorithm {name}: trialwatch does not have it, and"
        f" {section} of {names.CONFIG_MAP} does not list it{near}"
    )
    yield invalid(path, name, why)


def _collector_faults(kind: CollectorKind, config: Config) -> Iterator[Fault]:
    path = "spec.metricsCollectorSpec.collector.kind"
    if kind in _SIDECARS:
        collector = config.collector_of(kind)
        if collector is None or not collector.image:
            why = (
                "GetMetricsCollectorConfigData failed: failed to find metrics collector config for"
                f" kind: {kind} in ConfigMap: {names.CONFIG_MAP}; name its image there under"
                " runtime.metricsCollectors"
            )
            yield invalid(path, kind.value, why)
