"""What goes in and out: a request, a reply, and the points of the trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request."""

    method: str
    path: str
    """Without the query, such as `/api/2.0/mlflow/runs/create`."""
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One HTTP response, whose body is JSON."""

    status: int
    body: bytes


class LoggedPoint(NamedTuple):
    """One value of a metric of the trial."""

    name: str
    value: str
    """The shortest text that means the same double; `nan`, `inf` or `-inf`."""
    millis: int
    """The time that the client gave, in milliseconds since 1970."""
    step: int
    """MLflow's clients send 0 if the training gives none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What follows from a request: first keep the state, then the points, then send the reply."""

    reply: Reply
    points: tuple[LoggedPoint, ...] = ()
    state: bytes | None = None
    """The state as bytes, if it has changed."""
    nested: int = 0
    """Values of the trial's metrics that are not points, because their run has a parent run."""
