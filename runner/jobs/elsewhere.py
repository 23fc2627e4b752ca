"""Whether a trainer has printed its objective to its output instead of into its metrics file."""

from __future__ import annotations

from api.errors import UserError
from api.faults import quoted
from api.types import TrialSpec
from controller.reconcile.termination_message import parse_termination_message
from filters.extractor import Extractor, extraction_spec
from runner.pods.log_tail import tail

_LOOKED_AT = 1 << 20
"""Bytes at the end of the output that are searched."""


def elsewhere(spec: TrialSpec, termination_message: str, log: str) -> str:
    """Return that the output has the objective, and what to do; "" if the file has it, or neither.

    `termination_message` is that of the collector, `log` the path of the trainer's output.
    """
    objective = spec.objective
    if objective is None:
        return ""
    patterns = spec.collector.filters if spec.collector else ()
    message = parse_termination_message(termination_message)
    if any(metric.name == objective.metric for metric in message.metrics):
        return ""
    try:
        extractor = Extractor(extraction_spec((objective.metric,), patterns=patterns))
    except UserError:
        return ""
    found = [*extractor.feed(tail(log, _LOOKED_AT).encode()), *extractor.finish()]
    if not found:
        return ""
    return (
        f"its standard output has {quoted(objective.metric)}: write kind: StdOut in"
        " spec.metricsCollectorSpec.collector, or let the training write into the file"
    )
