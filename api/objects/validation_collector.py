"""The rules of `spec.metricsCollectorSpec`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from api.errors import Fault, UserError
from api.faults import invalid, required
from api.prometheus_names import sample_selector
from api.types import CollectorKind, CollectorSpec, HttpGet, LogFormat, Objective, PathKind

_PATH = "spec.metricsCollectorSpec"
_PLACE = f"{_PATH}.source.fileSystemPath"


def scraped_name_faults(spec: CollectorSpec | None, objective: Objective | None) -> Iterator[Fault]:
    """Check that each metric of kind PrometheusMetric has a name that a scrape can have."""
    if spec is None or spec.kind is not CollectorKind.PROMETHEUS_METRIC or objective is None:
        return
    for name in filter(None, objective.metrics):
        try:
            sample_selector(name)
        except UserError as error:
            yield invalid("spec.objective", name, str(error))


def collector_faults(
    spec: CollectorSpec | None, check_filter: Callable[[str], str | None]
) -> Iterator[Fault]:
    """Check the collector. `check_filter` returns what is wrong with a regex, or None.

    Filters are checked for StdOut too: with a wrong one, no trial would have metrics.
    """
    if spec is None:
        return
    match spec.kind:
        case CollectorKind.FILE:
            yield from _file_faults(spec)
        case CollectorKind.TENSORFLOW_EVENT:
            yield from _event_faults(spec)
        case CollectorKind.PROMETHEUS_METRIC:
            yield from _scrape_faults(spec.http_get or HttpGet())
        case CollectorKind.CUSTOM:
            yield from _custom_faults(spec)
        case CollectorKind.STDOUT | CollectorKind.PUSH:
            pass
    if spec.kind is not CollectorKind.PUSH:
        yield from _filter_faults(spec.filters, check_filter)


def _file_faults(spec: CollectorSpec) -> Iterator[Fault]:
    if spec.path_kind is not PathKind.FILE or not spec.path.startswith("/"):
        why = (
            "file path where metrics file exists is required; write kind: File and an absolute path"
        )
        yield required(f"{_PLACE}.path", f"{why}, not {_found(spec)}")
    if spec.format is None:
        why = "format of metrics file is required for metrics collector; write TEXT or JSON"
        yield required(f"{_PLACE}.format", why)
    if spec.format is LogFormat.JSON and spec.filters:
        why = "filter must be nil when format of metrics file is json; delete it"
        yield invalid(f"{_PATH}.source.filter", list(spec.filters), why)


def _event_faults(spec: CollectorSpec) -> Iterator[Fault]:
    if spec.path_kind is not PathKind.DIRECTORY or not spec.path.startswith("/"):
        why = (
            "directory path where tensorflow event files exist is required by "
            f".{_PLACE}.path; write kind: Directory and an absolute path"
        )
        yield required(f"{_PATH}.source", f"{why}, not {_found(spec)}")
    if spec.format is not None:
        yield invalid(f"{_PLACE}.format", spec.format.value, "must be empty; delete it")


def _found(spec: CollectorSpec) -> str:
    return f'kind: {spec.path_kind or ""} and path: "{spec.path}"'


def _scrape_faults(http_get: HttpGet) -> Iterator[Fault]:
    kind = f"for metrics collector kind: {CollectorKind.PROMETHEUS_METRIC}"
    try:
        port = int(http_get.port)
    except ValueError:
        port = 0
    if port <= 0:
        why = f"must be a positive integer value {kind}"
        yield invalid(f"{_PATH}.source.httpGet.port", http_get.port, why)
    if not http_get.path.startswith("/"):
        why = f"path is invalid {kind}; begin with /"
        yield invalid(f"{_PATH}.source.httpGet.path", http_get.path, why)


def _custom_faults(spec: CollectorSpec) -> Iterator[Fault]:
    if spec.custom is None:
        why = "metrics collector kind: Custom is required"
        why += "; write the container that collects the metrics"
        yield required(f"{_PATH}.collector.customCollector", why)
    if not spec.path and spec.path_kind is None:
        return
    usable = spec.path_kind in (PathKind.FILE, PathKind.DIRECTORY)
    if not usable or not spec.path.startswith("/"):
        why = f".{_PATH}.source is invalid; write kind: File or Directory and an absolute path"
        yield invalid(_PLACE, spec.path, why)


def _filter_faults(
    filters: tuple[str, ...], check_filter: Callable[[str], str | None]
) -> Iterator[Fault]:
    for i, pattern in enumerate(filters):
        problem = check_filter(pattern)
        if problem is not None:
            path = f"{_PATH}.source.filter.metricsFormat[{i}]"
            yield invalid(path, pattern, f"invalid filter: {problem}")
