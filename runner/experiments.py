"""Read and check the file of an Experiment before anything starts; all faults at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from api.documents import items_at, text_at, value_at
from api.errors import Fault, SpecError, UserError
from api.faults import invalid
from api.names import MLFLOW_ANNOTATION, PUSH_ANNOTATION
from api.objects.defaults import with_defaults
from api.objects.enqueued import PATH as ENQUEUE_PATH
from api.objects.enqueued import with_enqueue
from api.objects.experiments import parse_experiment
from api.objects.fields import Field
from api.objects.push import may_push
from api.objects.validation import faults_of, without_effect
from api.objects.validation_template import described_job
from api.objects.yamltext import load_file
from api.types import (
    CollectorKind,
    ConfigMapSource,
    Experiment,
    ExperimentSpec,
    JsonObject,
    LogFormat,
)
from filters.extractor import extraction_spec
from runner.devices.capacity import ParallelFrom
from runner.jobs.job_spec import JOB, POD, read_job
from runner.pod_annotation import with_pod_annotation
from runner.pods.pod_spec import ignored_fields
from stopping.registry import stopping_of
from suggestion.core.search_task import search_task_of

NAMESPACE = "default"
"""The namespace of an Experiment without one, as in kubectl."""
_PARALLEL = "spec.parallelTrialCount"
_COLLECTED = (
    CollectorKind.STDOUT,
    CollectorKind.FILE,
    CollectorKind.TENSORFLOW_EVENT,
    CollectorKind.PROMETHEUS_METRIC,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedExperiment:
    """The Experiment of a file."""

    experiment: Experiment
    """With defaults."""
    template: str | None = None
    """The template's text, if it is in a ConfigMap of the same file."""
    parallel_from: ParallelFrom = ParallelFrom.FILE
    """Where `parallelTrialCount` comes from."""


def read_text(text: str, name: str, parallel: int | None = None) -> LoadedExperiment:
    """Read and check the Experiment of a text; see `read_examined`.

    Raises:
        UserError: the text does not have exactly one Experiment.
        SpecError: the Experiment has faults.
    """
    given, faults = read_examined(text, name, parallel)
    if faults:
        raise SpecError(faults)
    return given


def read_examined(
    text: str,
    name: str,
    parallel: int | None = None,
    *,
    mlflow: bool = False,
    enqueue: Sequence[str] = (),
) -> tuple[LoadedExperiment, tuple[Fault, ...]]:
    """Return the Experiment of a text, and its faults.

    Args:
        text: YAML with one Experiment; it may also have the ConfigMap of its template.
        name: the file's name, for messages.
        parallel: how many trials run at the same time, in place of `parallelTrialCount`.
        mlflow: whether to set the annotation with which MLflow's client is answered.
        enqueue: points of the first trials, in place of those of the annotation.

    Raises:
        UserError: the text does not have exactly one Experiment, or no template for `mlflow`.
        SpecError: the Experiment cannot be read.
    """
    documents = load_file(text, name)
    found = [one for one in documents if one.get("kind") == "Experiment"]
    if len(found) != 1:
        kinds = ", ".join(str(one.get("kind")) for one in documents) or "nothing"
        count = "several Experiments" if found else f"no Experiment (found: {kinds})"
        raise UserError(f"{name} has {count}; use a file with one `kind: Experiment`")
    experiment, unread = _read(found[0])
    if mlflow:
        experiment = with_pod_annotation(experiment, MLFLOW_ANNOTATION, "true")
    experiment = with_enqueue(experiment, enqueue)
    given, faults = _examined(experiment, template_text(experiment, documents), parallel)
    if enqueue:
        faults = tuple(
            replace(one, path="--enqueue") if one.path == ENQUEUE_PATH else one for one in faults
        )
    if unread:  # what is missing is probably under a misspelt name
        faults = tuple(one for one in faults if not one.message.startswith("Required value: "))
    return given, tuple(dict.fromkeys((*unread, *faults)))


def _read(document: JsonObject) -> tuple[Experiment, tuple[Fault, ...]]:
    """Return an Experiment, and the faults of the fields that it does not have."""
    try:
        return parse_experiment(document), ()
    except SpecError as error:
        with contextlib.suppress(SpecError):
            return parse_experiment(document, unknown_fields=False), error.faults
        raise


def checked(
    experiment: Experiment, template: str | None = None, parallel: int | None = None
) -> LoadedExperiment:
    """Check an Experiment, and return it with its defaults.

    Args:
        experiment: the Experiment as its author wrote it.
        template: the template's text, if a ConfigMap holds it.
        parallel: how many trials run at the same time, in place of `parallelTrialCount`.

    Raises:
        SpecError: the Experiment has faults.
    """
    given, faults = _examined(experiment, template, parallel)
    if faults:
        raise SpecError(faults)
    return given


def _examined(
    experiment: Experiment, template: str | None, parallel: int | None
) -> tuple[LoadedExperiment, tuple[Fault, ...]]:
    """Return an Experiment with its defaults and the number of the flag, and its faults."""
    parallel_from = ParallelFrom.FILE
    if experiment.spec.parallel_trial_count is None:
        parallel_from = ParallelFrom.DEFAULT
    if parallel is not None:
        parallel_from = ParallelFrom.FLAG
        spec = replace(experiment.spec, parallel_trial_count=parallel)
        experiment = replace(experiment, spec=spec)
    given, faults = examined(experiment, template)
    if parallel is not None:
        faults = tuple(_of_the_flag(fault) for fault in faults)
    return replace(given, parallel_from=parallel_from), faults


def examined(
    experiment: Experiment, template: str | None = None
) -> tuple[LoadedExperiment, tuple[Fault, ...]]:
    """Return an Experiment with its defaults, and its faults; see `checked`."""
    metadata = experiment.metadata
    if not metadata.namespace:
        metadata = replace(metadata, namespace=NAMESPACE)
    complete = with_defaults(replace(experiment, metadata=metadata))
    given = LoadedExperiment(experiment=complete, template=template)
    return given, tuple(dict.fromkeys(_faults(given)))


def _of_the_flag(fault: Fault) -> Fault:
    return replace(fault, path="--parallel") if fault.path == _PARALLEL else fault


def ignored_fields_in(experiment: Experiment) -> tuple[Fault, ...]:
    """Return the fields of the template that have an effect in a cluster, but are ignored here."""
    template = experiment.spec.trial_template
    document = template.trial_spec if template else None
    if document is None:
        return ()
    path = "spec.trialTemplate.trialSpec"
    if (document.get("apiVersion"), document.get("kind")) == POD:
        return ignored_fields(document, path)
    job = Field(document, path).at("spec").at("template")
    pod = job.mapping()
    return ignored_fields(pod, job.path) if pod is not None else ()


def template_text(experiment: Experiment, documents: Sequence[JsonObject]) -> str | None:
    """Return the text of the template, if one of the documents is its ConfigMap."""
    template = experiment.spec.trial_template
    source = template.config_map if template else None
    if source is None:
        return None
    texts = [_data(one, source) for one in documents if one.get("kind") == "ConfigMap"]
    return next((text for text in texts if text is not None), None)


def _data(document: JsonObject, source: ConfigMapSource) -> str | None:
    if text_at(document, "metadata", "name") != source.name:
        return None
    text = value_at(document, "data", source.path)
    return text if isinstance(text, str) else None


def _faults(given: LoadedExperiment) -> Iterator[Fault]:
    """Yield faults by the rules of the webhook, of the search, and of this machine."""
    experiment = given.experiment
    faults = faults_of(experiment, check_filter=_wrong_filter, template_text=given.template)
    yield from faults
    paths = {fault.path for fault in faults}
    # A field with several faults is reported once.
    yield from (fault for fault in search_faults(experiment) if fault.path not in paths)
    # A fault of the template may be the cause why a parameter has no effect.
    if not any(path.startswith("spec.trialTemplate") for path in paths):
        yield from without_effect(experiment)
    yield from _of_this_machine(given)


def _wrong_filter(regex: str) -> str | None:
    try:
        extraction_spec(["metric"], LogFormat.TEXT, [regex])
    except UserError as error:
        return str(error)
    return None


def search_faults(experiment: Experiment) -> Iterator[Fault]:
    """Yield the faults by the rules of the search and of early stopping."""
    spec = experiment.spec
    try:
        search_task_of(spec)
    except SpecError as error:
        yield from error.faults
    try:
        stopping_of(spec)
    except SpecError as error:
        yield from error.faults


def _of_the_collector(kind: CollectorKind, job: JsonObject | None) -> Iterator[Fault]:
    path = "spec.metricsCollectorSpec.collector.kind"
    if kind is not CollectorKind.PUSH:
        kinds = ", ".join(kind.value for kind in _COLLECTED)
        why = f"is not supported on this machine; write {kinds} or {CollectorKind.PUSH}"
        yield invalid(path, kind.value, why)
    elif not may_push(job):
        why = (
            f'needs the annotation {PUSH_ANNOTATION}: "true" of the pod on this machine; add it to'
            " the job's template"
        )
        yield invalid(path, kind.value, why)


def _on_one_port(spec: ExperimentSpec) -> Iterator[Fault]:
    """Refuse several trials at a time that would all be scraped at the same address."""
    kind = CollectorKind.PROMETHEUS_METRIC
    if spec.collector is None or spec.collector.kind is not kind:
        return
    if spec.parallel_trial_count is not None and spec.parallel_trial_count > 1:
        why = (
            f"on this machine all trials share the port that kind {kind} scrapes, so that one"
            f" would get the metrics of another; write 1, or use kind {CollectorKind.PUSH}"
        )
        yield invalid(_PARALLEL, spec.parallel_trial_count, why)


def _of_this_machine(given: LoadedExperiment) -> Iterator[Fault]:
    spec = given.experiment.spec
    template = spec.trial_template
    if spec.collector is not None and spec.collector.kind not in _COLLECTED:
        job = described_job(template, given.template) if template else None
        yield from _of_the_collector(spec.collector.kind, job)
    yield from _on_one_port(spec)
    if template is None:
        return
    if template.config_map is not None and given.template is None:
        path = "spec.trialTemplate.configMap"
        why = "no cluster to read it from; add the ConfigMap to this file, after `---`"
        yield invalid(path, template.config_map.name, why)
    if template.trial_spec is not None:
        yield from _of_the_job(template.trial_spec)


def _of_the_job(document: JsonObject) -> Iterator[Fault]:
    """Check the job; placeholders in it count as texts."""
    path = "spec.trialTemplate.trialSpec"
    kind = (str(document.get("apiVersion")), str(document.get("kind")))
    if not document.get("apiVersion") or not document.get("kind"):
        return
    try:
        read_job(document)
    except SpecError as error:
        # A placeholder for a number becomes a number in each trial.
        yield from (
            Fault(f"{path}.{fault.path}", fault.message)
            for fault in error.faults
            if "${trialParameters." not in fault.message
        )
    except UserError as error:
        yield Fault(path, str(error))
    else:
        yield from _without_command(document, path, kind)


def _without_command(document: JsonObject, path: str, kind: tuple[str, str]) -> Iterator[Fault]:
    """Find the containers whose command is only in their image."""
    place = ("spec",) if kind == POD else ("spec", "template", "spec") if kind == JOB else ()
    for i, container in enumerate(items_at(document, *place, "containers")):
        if isinstance(container, dict) and not container.get("command"):
            name = container.get("name")
            where = f"{path}.{'.'.join(place)}.containers[{i}].command"
            why = f"the command of container {name} is only in its image, but trials run here"
            yield Fault(where, f"Required value: {why} without images; write it")
