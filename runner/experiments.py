"""An Experiment's file, read and judged before anything is started: every fault at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from api.documents import items_at, text_at, value_at
from api.errors import Fault, SpecError, UserError
from api.faults import invalid
from api.objects.defaults import with_defaults
from api.objects.experiments import parse_experiment
from api.objects.fields import Field
from api.objects.validation import faults_of
from api.objects.yamltext import load_objects
from api.types import (
    CollectorKind,
    ConfigMapSource,
    Experiment,
    JsonObject,
    LogFormat,
)
from filters.extractor import extraction_spec
from runner.jobs.forms import JOB, POD, read_form
from runner.pods.documents import unheeded
from suggestion.algorithms.median_stop import median_stop_of
from suggestion.core.search_task import search_task_of

NAMESPACE = "default"
"""Of an Experiment that names none, as kubectl has it."""
_COLLECTED = (CollectorKind.STDOUT, CollectorKind.FILE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a file holds."""

    experiment: Experiment
    """With defaults."""
    template: str | None = None
    """The template's text, where the Experiment names a ConfigMap of the same file."""


def read_file(path: str, parallel: int | None = None) -> Given:
    """Read and judge the Experiment of a file; `parallel` is put in place of what it says.

    Raises:
        UserError: the file cannot be read, or has not one Experiment.
        SpecError: all that is wrong with it.
    """
    try:
        text = Path(path).read_bytes().decode()
    except OSError as error:
        why = f"cannot read {path!r}: {error.strerror}; give the path of an Experiment's YAML"
        raise UserError(why) from None
    except UnicodeDecodeError:
        raise UserError(f"{path!r} is not UTF-8 text; give an Experiment's YAML") from None
    return read_text(text, path, parallel)


def read_text(text: str, name: str, parallel: int | None = None) -> Given:
    """Read and judge the Experiment of a text; `name` is where it came from."""
    documents = load_objects(text)
    found = [one for one in documents if one.get("kind") == "Experiment"]
    if len(found) != 1:
        kinds = ", ".join(str(one.get("kind")) for one in documents) or "nothing"
        count = "several Experiments" if found else f"no Experiment (found: {kinds})"
        raise UserError(f"{name} has {count}; give a file with one `kind: Experiment`")
    experiment = with_defaults(parse_experiment(found[0]))
    if not experiment.metadata.namespace:
        metadata = replace(experiment.metadata, namespace=NAMESPACE)
        experiment = replace(experiment, metadata=metadata)
    if parallel is not None:
        spec = replace(experiment.spec, parallel_trial_count=parallel)
        experiment = replace(experiment, spec=spec)
    given = Given(experiment=experiment, template=_template(experiment, documents))
    faults = tuple(dict.fromkeys(_faults(given)))
    if faults:
        raise SpecError(faults)
    return given


def unheeded_in(experiment: Experiment) -> tuple[Fault, ...]:
    """Say what of the template acts in a cluster and is passed over here."""
    template = experiment.spec.trial_template
    document = template.trial_spec if template else None
    if document is None:
        return ()
    path = "spec.trialTemplate.trialSpec"
    if (document.get("apiVersion"), document.get("kind")) == POD:
        return unheeded(document, path)
    job = Field(document, path).at("spec").at("template")
    pod = job.mapping()
    return unheeded(pod, job.path) if pod is not None else ()


def _template(experiment: Experiment, documents: Sequence[JsonObject]) -> str | None:
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


def _faults(given: Given) -> Iterator[Fault]:
    """Give what the webhook would refuse, what the search would, and what this machine cannot."""
    experiment = given.experiment
    told = faults_of(experiment, check_filter=_wrong_filter, template_text=given.template)
    yield from told
    paths = {fault.path for fault in told}
    # What is wrong twice is said once, in the first words.
    yield from (fault for fault in _of_the_search(experiment) if fault.path not in paths)
    yield from _of_this_machine(given)


def _wrong_filter(regex: str) -> str | None:
    try:
        extraction_spec(["metric"], LogFormat.TEXT, [regex])
    except UserError as error:
        return str(error)
    return None


def _of_the_search(experiment: Experiment) -> Iterator[Fault]:
    spec = experiment.spec
    try:
        search_task_of(spec)
    except SpecError as error:
        yield from error.faults
    if spec.early_stopping is not None:
        try:
            median_stop_of(spec.early_stopping)
        except SpecError as error:
            yield from error.faults


def _of_this_machine(given: Given) -> Iterator[Fault]:
    spec = given.experiment.spec
    if spec.collector is not None and spec.collector.kind not in _COLLECTED:
        path = "spec.metricsCollectorSpec.collector.kind"
        kinds = " or ".join(kind.value for kind in _COLLECTED)
        why = f"is not collected on this machine; write {kinds}"
        yield invalid(path, spec.collector.kind.value, why)
    template = spec.trial_template
    if template is None:
        return
    if template.config_map is not None and given.template is None:
        path = "spec.trialTemplate.configMap"
        why = "there is no cluster to fetch it from; add the ConfigMap to this file, behind `---`"
        yield invalid(path, template.config_map.name, why)
    if template.trial_spec is not None:
        yield from _of_the_job(template.trial_spec)


def _of_the_job(document: JsonObject) -> Iterator[Fault]:
    """Judge the job itself, where nothing in it is still to be put in but texts."""
    path = "spec.trialTemplate.trialSpec"
    kind = (str(document.get("apiVersion")), str(document.get("kind")))
    if not document.get("apiVersion") or not document.get("kind"):
        return
    try:
        read_form(document)
    except SpecError as error:
        # A placeholder where a number belongs becomes one with each trial.
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
    """Find the containers whose command stands in their image alone."""
    place = ("spec",) if kind == POD else ("spec", "template", "spec") if kind == JOB else ()
    for i, container in enumerate(items_at(document, *place, "containers")):
        if isinstance(container, dict) and not container.get("command"):
            name = container.get("name")
            where = f"{path}.{'.'.join(place)}.containers[{i}].command"
            why = f"the command of container {name} stands in its image, and a trial runs here"
            yield Fault(where, f"Required value: {why} without its image; write it")
