"""The order in which an experiment's trials were requested from the search."""

from __future__ import annotations

from api.names import NUMBER_LABEL
from api.types import Trial


def number_of(trial: Trial) -> float:
    """Return a trial's number in the history; infinity if its label has no number."""
    text = trial.metadata.labels.get(NUMBER_LABEL, "")
    return int(text) if text.isascii() and text.isdecimal() else float("inf")


def order_key(trial: Trial) -> tuple[float, str, str]:
    """Return the sort key for the order in which trials were requested."""
    meta = trial.metadata
    return number_of(trial), meta.creation_timestamp or "", meta.name


def in_order(trials: tuple[Trial, ...]) -> tuple[Trial, ...]:
    """Sort trials into the order in which they were requested."""
    return tuple(sorted(trials, key=order_key))
