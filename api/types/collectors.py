"""Where a trial's metrics are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .freeform import JsonObject


class CollectorKind(StrEnum):
    """The kind of metrics collector. With Push, the training code reports its metrics itself."""

    STDOUT = "StdOut"
    FILE = "File"
    TENSORFLOW_EVENT = "TensorFlowEvent"
    PROMETHEUS_METRIC = "PrometheusMetric"
    CUSTOM = "Custom"
    PUSH = "Push"


class PathKind(StrEnum):
    """Whether `source.fileSystemPath.path` is a file or a directory."""

    FILE = "File"
    DIRECTORY = "Directory"
    INVALID = "Invalid"


class LogFormat(StrEnum):
    """The format of the metrics file: lines of text, or one JSON object per line."""

    TEXT = "TEXT"
    JSON = "JSON"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpHeader:
    """One header of a scrape."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpGet:
    """The endpoint that a PrometheusMetric collector scrapes: Kubernetes' HTTPGetAction."""

    path: str = ""
    port: int | str = 0
    """A number, or the name of a port, which the collector refuses. 0 means left out."""
    host: str = ""
    scheme: str = ""
    headers: tuple[HttpHeader, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorSpec:
    """`metricsCollectorSpec`, with the fields of `source` and `collector` on one level."""

    kind: CollectorKind = CollectorKind.STDOUT
    path: str = ""
    path_kind: PathKind | None = None
    format: LogFormat | None = None
    filters: tuple[str, ...] = ()
    """`metricsFormat`: regexes in RE2's syntax; group 1 is the name, group 2 the value."""
    http_get: HttpGet | None = None
    custom: JsonObject | None = None
    """The container of a Custom collector, as Kubernetes gets it."""
