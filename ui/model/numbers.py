"""Numbers as the pages get them: six digits are enough to draw and to compare."""

from __future__ import annotations

from api.metric_values import finite

_DIGITS = 6


def six(value: float | None) -> float | None:
    """Round to six significant digits; None stays None."""
    return None if value is None else float(f"{value:.{_DIGITS}g}")


def number_or_text(text: str) -> float | str:
    """Return a text as a number if it is one, else unchanged."""
    value = finite(text)
    return text if value is None else float(f"{value:.{_DIGITS}g}")
