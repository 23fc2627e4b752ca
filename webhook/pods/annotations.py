"""The settings that a pod's annotations make for its collector, with or without a Trial."""

from __future__ import annotations

from dataclasses import dataclass

from api import names
from api.errors import SpecError
from api.faults import quoted
from api.installation.containers import Resources, read_resources
from api.objects.fields import INT32_MAX, Field
from api.objects.yamltext import load_objects
from api.reductions import Reduction
from webhook.model.config import MAX_SECONDS
from webhook.model.pods import PodMetadata
from webhook.model.reasons import Reason
from webhook.model.verdicts import PodRefused

SCRAPE_SECONDS = 5
"""Seconds between two scrapes by default."""
_LONGEST_RESOURCES = 4096
"""Characters of the annotation for resources, which is parsed as YAML."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationSettings:
    """What the annotations set; None: not set."""

    drain_seconds: int | None = None
    wrap: bool = True
    run_as_user: int | None = None
    resources: Resources | None = None
    steps: bool = True
    push: bool = False
    """Whether the containers of the pod may push metrics."""
    mlflow: bool = False
    """Whether the sidecar answers MLflow's client; then `push` is set too."""
    scrape_seconds: int = SCRAPE_SECONDS
    reduction: Reduction = Reduction.ANY


def read_annotations(metadata: PodMetadata) -> AnnotationSettings:
    """Read the annotations.

    Raises:
        PodRefused: a value is wrong; names the annotation, the value and the remedy.
    """
    return AnnotationSettings(
        drain_seconds=_number(metadata, names.DRAIN_ANNOTATION, MAX_SECONDS, "seconds"),
        wrap=_switch(metadata, names.WRAP_ANNOTATION, "true"),
        run_as_user=_number(metadata, names.RUN_AS_USER_ANNOTATION, INT32_MAX, "a user id"),
        resources=_resources(metadata),
        steps=_steps(metadata),
        push=asks_to_push(metadata),
        mlflow=_asks_for_mlflow(metadata),
        scrape_seconds=_scrape_seconds(metadata),
        reduction=_reduction(metadata),
    )


def asks_to_push(metadata: PodMetadata) -> bool:
    """Return whether the containers of a pod may push metrics. Raises PodRefused."""
    push = _switch(metadata, names.PUSH_ANNOTATION, "false")
    return _asks_for_mlflow(metadata) or push


def _asks_for_mlflow(metadata: PodMetadata) -> bool:
    return _switch(metadata, names.MLFLOW_ANNOTATION, "false")


def _scrape_seconds(metadata: PodMetadata) -> int:
    seconds = _number(metadata, names.SCRAPE_ANNOTATION, MAX_SECONDS, "seconds")
    if seconds == 0:
        raise _wrong(names.SCRAPE_ANNOTATION, "0", "write 1 or more")
    return SCRAPE_SECONDS if seconds is None else seconds


def _number(metadata: PodMetadata, annotation: str, largest: int, what: str) -> int | None:
    text = metadata.annotations.get(annotation)
    if text is None:
        return None
    digits = text.isascii() and text.isdigit() and len(text) <= len(str(largest))
    if not digits or int(text) > largest:
        raise _wrong(annotation, text, f"write {what} from 0 to {largest}, digits only")
    return int(text)


def _switch(metadata: PodMetadata, annotation: str, default: str) -> bool:
    text = metadata.annotations.get(annotation, default)
    if text not in ("true", "false"):
        raise _wrong(annotation, text, 'write "true" or "false"')
    return text == "true"


def _steps(metadata: PodMetadata) -> bool:
    text = metadata.annotations.get(names.STEPS_ANNOTATION, "on")
    if text not in ("on", "off"):
        raise _wrong(names.STEPS_ANNOTATION, text, 'write "on" or "off"')
    return text == "on"


def _reduction(metadata: PodMetadata) -> Reduction:
    text = metadata.annotations.get(names.REDUCE_ANNOTATION, Reduction.ANY)
    if text not in tuple(Reduction):
        raise _wrong(names.REDUCE_ANNOTATION, text, f"write one of {', '.join(Reduction)}")
    return Reduction(text)


def _resources(metadata: PodMetadata) -> Resources | None:
    text = metadata.annotations.get(names.RESOURCES_ANNOTATION)
    if text is None:
        return None
    example = 'write {"requests": {"memory": "64Mi"}, "limits": {"memory": "256Mi"}}'
    if len(text) > _LONGEST_RESOURCES:
        long = f"it has {len(text)} characters, and {_LONGEST_RESOURCES} are allowed"
        raise _wrong(names.RESOURCES_ANNOTATION, text, f"{long}; {example}")
    try:
        (document,) = load_objects(text)
        f = Field(document, "resources")
        return f.accept(f.record(read_resources))
    except SpecError as error:
        raise _wrong(names.RESOURCES_ANNOTATION, text, f"{error}; {example}") from None
    except ValueError:
        raise _wrong(names.RESOURCES_ANNOTATION, text, example) from None


def _wrong(annotation: str, text: str, remedy: str) -> PodRefused:
    return PodRefused(Reason.ANNOTATION_WRONG, f"{annotation} is {quoted(text)}; {remedy}")
