"""How the metrics of several pods of one job become one series, and who writes that where.

The annotation `trialwatch.dev/reduce` says how. The webhook gives it to the sidecar together with
the pod's name in the job, and the sidecar makes both a part of the names of its sources. So the
store knows them without a table of its own.

| annotation | the series of a metric |
|---|---|
| none, or `any` | all points of all pods |
| `rank0` | the points of the pod of rank 0 |
| `mean`, `min`, `max` | this value over the pods at each step, or else over their n-th points |
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from api.errors import UserError
from api.faults import quoted
from api.names import POD_SOURCE_PREFIX, REDUCE_SOURCE_MARK


class Reduction(StrEnum):
    """How several pods become one series."""

    ANY = "any"
    RANK0 = "rank0"
    MEAN = "mean"
    MIN = "min"
    MAX = "max"


NUMERIC = frozenset({Reduction.MEAN, Reduction.MIN, Reduction.MAX})
"""The reductions that compute a value of several pods."""
_POD_NAME = r"[A-Za-z0-9._-]{0,200}"
_FLAG = re.compile(rf"({'|'.join(Reduction)}):({_POD_NAME})")
_RANK_0 = re.compile(r"(?:[A-Za-z0-9-]*\.|[A-Za-z._-]*-)?0(?:-0)*")
"""The name of a JobSet's replicated job may have digits; a `.` follows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodReduction:
    """How the pods of a job are reduced, and which of them this one is."""

    reduction: Reduction
    pod: str = ""
    """Its name in the job, such as `1`, `worker-1` or `node.0-1`; "" where it has no number."""

    @property
    def is_rank_0(self) -> bool:
        """Whether the pod is the one of rank 0: all of its numbers are 0."""
        return _RANK_0.fullmatch(self.pod) is not None

    @property
    def text(self) -> str:
        """The value of the sidecar's flag, which `read_pod_reduction` reads."""
        return f"{self.reduction}:{self.pod}"

    @property
    def mark(self) -> str:
        """The text with which the name of a source begins, behind the uid of its pod."""
        return f"{REDUCE_SOURCE_MARK}{self.text}:"


def read_pod_reduction(text: str) -> PodReduction:
    """Read the value of the sidecar's flag, such as `mean:worker-1`.

    Raises:
        UserError: it is another text.
    """
    match = _FLAG.fullmatch(text)
    if match is None:
        words = ", ".join(Reduction)
        raise UserError(f"{quoted(text)} is wrong; write one of {words}, then `:` and the pod")
    return PodReduction(reduction=Reduction(match[1]), pod=match[2])


def reduction_of_source(source: str) -> PodReduction | None:
    """Return what the name of a source says about its job; None if it says nothing."""
    if source.startswith(POD_SOURCE_PREFIX):
        source = source.removeprefix(POD_SOURCE_PREFIX).partition(":")[2]
    if not source.startswith(REDUCE_SOURCE_MARK):
        return None
    match = _FLAG.match(source, len(REDUCE_SOURCE_MARK))
    if match is None or source[match.end() : match.end() + 1] != ":":
        return None
    return PodReduction(reduction=Reduction(match[1]), pod=match[2])
