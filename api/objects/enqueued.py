"""The annotation with hand-chosen points, which are the first trials of an experiment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from api.errors import Fault, UserError
from api.faults import invalid
from api.names import ENQUEUE_ANNOTATION
from api.objects.points import Point, parse_points, within
from api.types import Experiment, ParameterSpec

PATH = f"metadata.annotations[{ENQUEUE_ANNOTATION}]"
_MOST_FAULTS = 20


def enqueued_points(experiment: Experiment) -> tuple[Point, ...]:
    """Return the points, in their order; none if the annotation is absent or has faults.

    A point may lack parameters: the search chooses their values.
    """
    text = experiment.metadata.annotations.get(ENQUEUE_ANNOTATION)
    return () if text is None else _points(text, experiment.spec.parameters)


@lru_cache(maxsize=64)  # an experiment is reconciled again and again
def _points(text: str, parameters: tuple[ParameterSpec, ...]) -> tuple[Point, ...]:
    try:
        return tuple(within(parameters, point) for point in parse_points(text))
    except UserError:
        return ()


def with_enqueue(experiment: Experiment, texts: Sequence[str]) -> Experiment:
    """Return the experiment with the annotation; without texts, as it is."""
    if not texts:
        return experiment
    annotations = {**experiment.metadata.annotations, ENQUEUE_ANNOTATION: "\n".join(texts)}
    return replace(experiment, metadata=replace(experiment.metadata, annotations=annotations))


def enqueue_faults(experiment: Experiment) -> Iterator[Fault]:
    """Check the annotation: its form, each value, and the number of points."""
    text = experiment.metadata.annotations.get(ENQUEUE_ANNOTATION)
    if text is None:
        return
    try:
        points = parse_points(text)
    except UserError as error:
        yield invalid(PATH, text, str(error))
        return
    found = 0
    for number, point in enumerate(points, 1):
        try:
            within(experiment.spec.parameters, point)
        except UserError as error:
            yield invalid(PATH, text, f"point {number}: {error}")
            found += 1
        if found == _MOST_FAULTS:
            return
    most = experiment.spec.max_trial_count
    if most is not None and 0 < most < len(points):
        why = f"has {len(points)} points for {most} trials; write a larger spec.maxTrialCount"
        yield invalid(PATH, text, f"{why}, or delete points")
