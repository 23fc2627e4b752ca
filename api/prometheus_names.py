"""The name of a metric as an objective gives it for kind PrometheusMetric: `loss{split="val"}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from api.errors import UserError
from api.faults import quoted

_LABEL = r'[a-zA-Z_]\w*\s*=\s*"(?:[^"\\]|\\.)*"'
_NAME = re.compile(rf"([a-zA-Z_:][\w:]*)(?:\{{\s*((?:{_LABEL}\s*,?\s*)*)\}})?", re.ASCII)
_LABELS = re.compile(r'([a-zA-Z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"', re.ASCII)
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSelector:
    """Which sample of an answer is a metric's value."""

    name: str
    labels: Mapping[str, str]
    """The sample may have more labels than these."""

    def fits(self, name: str, labels: Mapping[str, str]) -> bool:
        """Return whether a sample is selected."""
        return name == self.name and self.labels.items() <= labels.items()


def sample_selector(metric: str) -> SampleSelector:
    """Read a metric's name.

    Raises:
        UserError: it is not valid; says what to write.
    """
    found = _NAME.fullmatch(metric.strip())
    if found is None:
        raise UserError(
            f"metric name {quoted(metric)} is not one of Prometheus: write NAME, or"
            ' NAME{label="value"}'
        )
    labels = _LABELS.findall(found[2] or "")
    return SampleSelector(
        name=found[1],
        labels={label: _ESCAPED.sub(_unescaped, text) for label, text in labels},
    )


def _unescaped(found: re.Match[str]) -> str:
    return "\n" if found[1] == "n" else found[1]
