"""The summary that a collector leaves in its pod: the termination message.

It is one JSON object of at most `TERMINATION_LOG_BYTES` bytes, the kubelet's limit:

    {"trial": "t-1", "attempt": 1, "outcome": "succeeded", "delivered": false,
     "why": "the DB manager did not answer", "gaps": 0,
     "metrics": {"loss": {"count": 3, "first": "0.9", "last": "0.1", "min": "0.1", "max": "0.9"}}}

If not all metrics fit, the first ones are included, and `left_out` counts the others. If the
objective was never found, `nearest` has the most similar lines, as many as fit. If the metrics file
was never created, `missing_file` is its path.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from api.names import TERMINATION_LOG_BYTES
from filters.fold import Folded

_LONGEST = 256
"""The most characters of each text."""


def summary_of(
    facts: Mapping[str, Any],
    folds: Mapping[str, Folded],
    metrics: Sequence[str],
    nearest: Sequence[str] = (),
) -> bytes:
    """Return the summary: facts, metrics in this order, and nearest lines, as many as fit.

    Metrics come before lines if there is not enough room.
    """
    summary = {
        key: value[:_LONGEST] if isinstance(value, str) else value for key, value in facts.items()
    }
    seen = [name for name in metrics if name in folds]
    for count in range(len(seen), -1, -1):
        summary["metrics"] = {name[:_LONGEST]: _folded(folds[name]) for name in seen[:count]}
        if count < len(seen):
            summary["left_out"] = len(seen) - count
        text = _written(summary)
        if len(text) <= TERMINATION_LOG_BYTES:
            return _with_nearest(summary, text, nearest)
    return b"{}"


def _with_nearest(summary: Mapping[str, Any], text: bytes, nearest: Sequence[str]) -> bytes:
    lines = [line[:_LONGEST] for line in nearest]
    for count in range(len(lines), 0, -1):
        longer = _written({**summary, "nearest": lines[:count]})
        if len(longer) <= TERMINATION_LOG_BYTES:
            return longer
    return text


def _written(summary: Mapping[str, Any]) -> bytes:
    return json.dumps(summary, ensure_ascii=False).encode("utf-8", "replace")


def _folded(folded: Folded) -> dict[str, object]:
    texts = {
        "first": folded.first,
        "last": folded.last,
        "min": folded.minimum,
        "max": folded.maximum,
    }
    kept = {key: text if text is None else text[:_LONGEST] for key, text in texts.items()}
    return {"count": folded.count, **kept}
