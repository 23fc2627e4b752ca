"""`trialwatch.report`: prints metrics as a line that the collector reads exactly.

    2026-11-30T12:15:03.123456Z step=7 loss=0.3 accuracy=0.93

The time stamp at the start of the line is stored with each value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import SupportsFloat, TypeAlias

Number: TypeAlias = SupportsFloat
"""An int, a float, or what converts to one: a number of NumPy, a tensor with one element."""

_NAME = re.compile(r"[^\s=:,;|(){}\[\]<>\"'`]+")
_STEP = "step"


def report(
    metrics: Mapping[str, Number] | None = None, /, *, step: int | None = None, **more: Number
) -> None:
    """Print metrics, so that trialwatch stores them for the trial that runs this.

    Outside of a trial, this only prints.

    Args:
        metrics: values by name, for names that are not words of Python, such as `val/acc`.
        step: how far the training is, such as its epoch.
        more: values by name, such as `loss=0.3`.

    Raises:
        ValueError: a name has a blank or a sign that separates names from values.
        TypeError: a value is not a number.
    """
    print(metrics_line({**(metrics or {}), **more}, step, datetime.now(UTC)), flush=True)


def metrics_line(metrics: Mapping[str, Number], step: int | None, now: datetime) -> str:
    """Return the line for some metrics.

    Raises:
        ValueError: a name cannot be read back.
        TypeError: a value is not a number.
    """
    if not metrics:
        raise ValueError("report() has no metric: write report(loss=0.3)")
    steps = [] if step is None else [f"{_STEP}={int(step)}"]
    pairs = [f"{_checked(name)}={_number(name, value)}" for name, value in metrics.items()]
    stamp = f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
    return " ".join((stamp, *steps, *pairs))


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        plain = "_".join(_NAME.findall(name)) or "loss"
        raise ValueError(
            f"the metric's name {name!r} has a blank or a sign such as '=': write {plain!r}"
        )
    return name


def _number(name: str, value: Number) -> str:
    """Return the shortest text with exactly this value."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    try:
        return repr(float(value))
    except (TypeError, ValueError):
        raise TypeError(f"the metric {name!r} is not a number: {value!r}") from None
