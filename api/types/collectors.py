"""Where a trial's metrics are found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .freeform import JsonObject


class CollectorKind(StrEnum):
    """Who fetches the metrics, and from where. Push: the training code reports by itself."""

    STDOUT = "StdOut"
    FILE = "File"
    TENSORFLOW_EVENT = "TensorFlowEvent"
    PROMETHEUS_METRIC = "PrometheusMetric"
    CUSTOM = "Custom"
    PUSH = "Push"


class PathKind(StrEnum):
    """What `source.fileSystemPath.path` names."""

    FILE = "File"
    DIRECTORY = "Directory"
    INVALID = "Invalid"


class LogFormat(StrEnum):
    """How the metrics file is written: lines of text, or a JSON object a line."""

    TEXT = "TEXT"
    JSON = "JSON"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpHeader:
    """One header of a scrape."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpGet:
    """Where a PrometheusMetric collector scrapes: Kubernetes' HTTPGetAction."""

    path: str = ""
    port: int | str = 0
    """A number, or (Kubernetes allows it, the collector does not) a port's name. 0: left out."""
    host: str = ""
    scheme: str = ""
    headers: tuple[HttpHeader, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorSpec:
    """`metricsCollectorSpec`, its `source` and `collector` laid flat."""

    kind: CollectorKind = CollectorKind.STDOUT
    path: str = ""
    path_kind: PathKind | None = None
    format: LogFormat | None = None
    filters: tuple[str, ...] = ()
    """`metricsFormat`: regexes in RE2's syntax, group 1 the name and group 2 the value."""
    http_get: HttpGet | None = None
    custom: JsonObject | None = None
    """The container of a Custom collector, as Kubernetes will get it."""
