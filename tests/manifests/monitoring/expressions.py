"""Reads which metrics, labels and label values an expression of PromQL names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from manifests.monitoring.catalog import FOREIGN, METRICS, TARGET_LABELS
from serving.metric_families import MetricType

_METRIC = re.compile(
    r"\b(?P<name>up|(?:trialwatch|katib|process|apiserver)_\w+)(?:\{(?P<matchers>[^}]*)\})?"
)
_MATCHER = re.compile(r'(\w+)(=~|!=|!~|=)"([^"]*)"')
_GROUPED = re.compile(r"\b(?:by|on|without|ignoring) \(([^)]*)\)")
_PARTS = re.compile(r"_(?:bucket|sum|count)$")


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric in an expression, and its matchers: label to the values that the matcher allows."""

    metric: str
    matchers: Mapping[str, tuple[str, ...]]


def selectors(expression: str) -> list[Selector]:
    """Return the metrics of an expression; those of a histogram by the name of the histogram."""
    return [
        Selector(_declared_name(found["name"]), dict(_values(found["matchers"] or "")))
        for found in _METRIC.finditer(re.sub(r'"[^"]*"', _without_names, expression))
    ]


def _without_names(quoted: re.Match[str]) -> str:
    """Hide names of jobs in a string, which are not metrics."""
    return quoted[0].replace("trialwatch-", "-")


def grouped_labels(expression: str) -> set[str]:
    """Return the labels by which an expression groups."""
    groups = (group.split(",") for group in _GROUPED.findall(expression))
    return {label.strip() for group in groups for label in group} - {"", "le"}


def labels_of(metric: str) -> set[str]:
    """Return the labels that a metric may have.

    Raises:
        KeyError: no program declares the metric.
    """
    own = METRICS[metric].labels if metric in METRICS else FOREIGN[metric]
    return {*own, *TARGET_LABELS}


def _declared_name(name: str) -> str:
    whole = _PARTS.sub("", name)
    is_part = whole in METRICS and METRICS[whole].type is MetricType.HISTOGRAM
    return whole if is_part else name


def _values(matchers: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for label, operator, text in _MATCHER.findall(matchers):
        yield label, tuple(text.split("|")) if operator == "=~" else (text,)
