"""What an endpoint takes and returns."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from api.types import JsonObject
from collector.mlflow.exchange import LoggedPoint
from collector.mlflow.fields import Fields
from collector.mlflow.metric_history import MetricHistory
from collector.mlflow.state import Run, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, as an endpoint sees it."""

    state: State
    fields: Fields
    millis: int
    """The time of the request, in milliseconds since 1970."""
    artifacts: str
    """The URI of the directory of all artifacts, without a slash at the end."""
    history: MetricHistory
    path_id: str = ""
    """The id in the path, for logged models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The answer to a call."""

    body: JsonObject = field(default_factory=dict)
    state: State | None = None
    """The changed state; None: unchanged."""
    points: tuple[LoggedPoint, ...] = ()
    """All metrics that the call logs, whether the trial has asked for them or not."""
    run: Run | None = None
    """The run of the points, as it was before."""


Endpoint: TypeAlias = Callable[[Call], Outcome]


def new_id(state: State) -> tuple[str, State]:
    """Return an id of 32 hexadecimal digits, and the state that will not give it again."""
    serial = state.serial + 1
    digest = hashlib.sha256(f"{state.seed}:{serial}".encode()).hexdigest()
    return digest[:32], replace(state, serial=serial)
