"""The rules of `metricsCollectorSpec` in CEL; `api.objects.validation_collector` has the same."""

from __future__ import annotations

from manifests.schema.rule import Rule, Rules


def _is(kind: str) -> str:
    return f"has(self.collector) && has(self.collector.kind) && self.collector.kind == '{kind}'"


def _not(kind: str) -> str:
    return f"!({_is(kind)})"


_PLACE = "self.source.fileSystemPath"


def _place(*, kind: str, path_kind: str) -> Rule:
    return Rule(
        holds=f"{_not(kind)} || !has(self.source) || !has({_PLACE})"
        f" || (!has({_PLACE}.kind) || {_PLACE}.kind in ['', '{path_kind}'])"
        f" && (!has({_PLACE}.path) || {_PLACE}.path == '' || {_PLACE}.path.startsWith('/'))",
        message=f"must be an absolute path of kind {path_kind} for collector kind {kind}",
        at=".source.fileSystemPath",
    )


_COLLECTOR = (
    _place(kind="File", path_kind="File"),
    _place(kind="TensorFlowEvent", path_kind="Directory"),
    Rule(
        holds=f"{_not('File')} || !has(self.source) || !has({_PLACE}) || !has({_PLACE}.format)"
        f" || {_PLACE}.format != 'JSON' || !has(self.source.filter)",
        message="filter must be nil when format of metrics file is json; delete it",
        at=".source.filter",
    ),
    Rule(
        holds=f"{_not('TensorFlowEvent')} || !has(self.source) || !has({_PLACE})"
        f" || !has({_PLACE}.format) || {_PLACE}.format == ''",
        message="format must be empty for collector kind TensorFlowEvent; delete it",
        at=".source.fileSystemPath",
    ),
    Rule(
        holds=f"{_not('PrometheusMetric')} || !has(self.source) || !has(self.source.httpGet)"
        " || !has(self.source.httpGet.path) || self.source.httpGet.path == ''"
        " || self.source.httpGet.path.startsWith('/')",
        message="path must begin with / for collector kind PrometheusMetric",
        at=".source.httpGet",
    ),
    Rule(
        holds=f"{_not('Custom')} || has(self.collector.customCollector)",
        message="customCollector must be specified for collector kind Custom; write the container"
        " that collects the metrics",
        at=".collector",
        why="FieldValueRequired",
    ),
    Rule(
        holds=f"{_is('Push')} || !has(self.source) || !has(self.source.filter)"
        " || !has(self.source.filter.metricsFormat)"
        " || self.source.filter.metricsFormat.all(f, f.matches('(?s)[(].*[(]'))",
        message="each metricsFormat must have two groups, for the name and the value:"
        r" ([\w-]+)\s*=\s*([0-9.]+)",
        at=".source.filter",
    ),
)

COLLECTOR: Rules = {"spec.metricsCollectorSpec": _COLLECTOR}
