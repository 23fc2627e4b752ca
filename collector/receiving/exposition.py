"""From the answer of a scrape to the values of the trial's metrics. Pure.

The parsers are those of `prometheus_client`, for Prometheus' text format and for OpenMetrics.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as read_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as read_text
from prometheus_client.samples import Sample

from api.prometheus_names import SampleSelector
from filters.journal_finder import JournalPoint
from filters.line_timestamps import epoch_stamp

ACCEPT = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
_OPENMETRICS = "application/openmetrics-text"
MOST_LINES = 20_000
"""Lines of an answer: the parsers take some hundred bytes for each."""
_SHOWN = 3
"""The most samples that a message names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scraped:
    """What an answer says about the trial's metrics."""

    points: tuple[JournalPoint, ...]
    unclear: tuple[str, ...] = ()
    """Sentences: metrics that several samples fit, so none of them was taken."""


def scraped(body: bytes, content_type: str, wanted: Mapping[str, SampleSelector]) -> Scraped:
    """Return the points in an answer; `wanted` has the selectors by the metrics' names.

    A counter is also found without the `_total` at the end of its sample's name.

    Raises:
        ValueError: the answer is of neither format.
    """
    samples = _samples(body.decode("utf-8", "replace"), content_type)
    points, unclear = [], []
    for metric, selector in wanted.items():
        fitting = list(_fitting(selector, samples))
        if len(fitting) == 1:
            points.append(_point(metric, fitting[0]))
        elif fitting:
            several = ", ".join(map(_shown, fitting[:_SHOWN]))
            unclear.append(f"{len(fitting)} samples fit {metric}: {several}; name its labels")
    return Scraped(points=tuple(points), unclear=tuple(unclear))


def _samples(text: str, content_type: str) -> list[Sample]:
    if text.count("\n") > MOST_LINES:
        raise ValueError(f"its answer has more than {MOST_LINES} lines")
    is_open = content_type.partition(";")[0].strip().lower() == _OPENMETRICS
    read = read_openmetrics if is_open else read_text
    try:
        return [sample for family in read(text) for sample in family.samples]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as fault:
        name = "OpenMetrics" if is_open else "Prometheus' text format"
        raise ValueError(f"its answer is not {name}: {str(fault)[:200]}") from fault


def _fitting(selector: SampleSelector, samples: list[Sample]) -> Iterator[Sample]:
    """Yield the samples that a selector means: one without further labels before all others."""
    named = [s for s in samples if selector.fits(s.name, s.labels)]
    named = named or [s for s in samples if selector.fits(s.name.removesuffix("_total"), s.labels)]
    exact = [s for s in named if s.labels == selector.labels]
    yield from exact or named


def _point(metric: str, sample: Sample) -> JournalPoint:
    at = sample.timestamp
    stamp = None if at is None else epoch_stamp(str(at))
    return JournalPoint(metric, repr(float(sample.value)), timestamp=stamp)


def _shown(sample: Sample) -> str:
    labels = ",".join(f'{name}="{value}"' for name, value in sample.labels.items())
    return f"{sample.name}{{{labels}}}"[:200]
