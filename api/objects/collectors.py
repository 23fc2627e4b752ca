"""`metricsCollectorSpec`: where a trial's metrics are."""

from __future__ import annotations

from api.types import (
    CollectorKind,
    CollectorSpec,
    HttpGet,
    HttpHeader,
    Json,
    LogFormat,
    PathKind,
)

from .fields import Field
from .rendering import present


def parse_collector(f: Field) -> CollectorSpec:
    """Read the spec; the default kind is StdOut, as in Katib."""
    source, collector = f.at("source"), f.at("collector")
    place, filters = source.at("fileSystemPath"), source.at("filter")
    spec = CollectorSpec(
        kind=collector.at("kind").choice(CollectorKind, CollectorKind.STDOUT),
        path=place.at("path").text(),
        path_kind=place.at("kind").choice(PathKind, None),
        format=place.at("format").choice(LogFormat, None),
        filters=filters.at("metricsFormat").texts(),
        http_get=source.at("httpGet").record(_parse_http_get),
        custom=collector.at("customCollector").mapping(),
    )
    if not filters.absent and not spec.filters and spec.format is LogFormat.JSON:
        # `CollectorSpec` cannot represent an empty filter, so this case is checked here.
        filters.refuse("filter must be nil when format of metrics file is json; delete it")
    return spec


def _parse_http_get(f: Field) -> HttpGet:
    port = f.at("port")
    return HttpGet(
        path=f.at("path").text(),
        port=port.text() if isinstance(port.value, str) else port.count(),
        host=f.at("host").text(),
        scheme=f.at("scheme").text(),
        headers=f.at("httpHeaders").records(_parse_header),
    )


def _parse_header(f: Field) -> HttpHeader:
    return HttpHeader(name=f.at("name").text(), value=f.at("value").text())


def render_collector(spec: CollectorSpec) -> Json:
    """Write `metricsCollectorSpec` (in a Trial: `metricsCollector`)."""
    collector = present({"kind": spec.kind.value, "customCollector": spec.custom})
    return present({"source": _render_source(spec), "collector": collector})


def _render_source(spec: CollectorSpec) -> Json:
    place = present({"path": spec.path, "kind": spec.path_kind, "format": spec.format})
    filters = present({"metricsFormat": spec.filters})
    http_get = None if spec.http_get is None else _render_http_get(spec.http_get)
    source = present(
        {"httpGet": http_get, "fileSystemPath": place or None, "filter": filters or None}
    )
    return source or None


def _render_http_get(http_get: HttpGet) -> Json:
    headers = tuple({"name": h.name, "value": h.value} for h in http_get.headers)
    return present(
        {
            "path": http_get.path,
            "port": http_get.port or None,
            "host": http_get.host,
            "scheme": http_get.scheme,
            "httpHeaders": headers,
        }
    )
