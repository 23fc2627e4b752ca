"""A real Prometheus scrapes the real programs: each query of the dashboard returns numbers."""

from __future__ import annotations

import asyncio
import json
import math
import re
from pathlib import Path
from typing import Any

import yaml

from manifests.monitoring.__main__ import FOLDER
from manifests.monitoring.alerts import ALERTS
from manifests.monitoring.catalog import METRICS
from serving.metric_families import MetricType
from tests.manifests.monitoring.running_programs import Prometheus, prometheus, running_programs

SECONDS = 240.0
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "trialwatch.json").read_text())
TARGETS = [
    target for panel in DASHBOARD["panels"] if panel["type"] != "row" for target in panel["targets"]
]


def chosen(expression: str) -> str:
    """Fill in what Grafana does: the range, and all namespaces."""
    return expression.replace("$__rate_interval", "20s").replace("$namespace", ".*")


async def has_numbers(server: Prometheus, target: dict[str, Any]) -> bool:
    """Return whether a query has a number, with the labels of its legend."""
    series = await server.values(chosen(target["expr"]))
    shown = set(re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")))
    constants = "vector(0)" in target["expr"]
    return any(
        not math.isnan(value) and (shown <= labels.keys() or constants) for labels, value in series
    )


async def check_types(server: Prometheus) -> None:
    """Compare the types that Prometheus has read with the declarations."""
    known = await server.data("metadata")
    for metric in METRICS.values():
        name = metric.name
        if metric.type is MetricType.COUNTER and name not in known:
            name = name.removesuffix("_total")
        assert [one["type"] for one in known[name]] == [metric.type.value], name


async def check_alerts(server: Prometheus) -> None:
    """Check that Prometheus evaluates each alert, and that none fires."""
    groups = (await server.data("rules"))["groups"]
    found = {rule["name"]: rule for group in groups for rule in group["rules"]}
    assert found.keys() == {alert.name for alert in ALERTS}
    assert {rule["health"] for rule in found.values()} == {"ok"}
    assert [name for name, rule in found.items() if rule["state"] == "firing"] == []


async def test_each_query_of_the_dashboard_returns_numbers_of_running_programs(
    tmp_path: Path,
) -> None:
    rules = yaml.safe_dump(yaml.safe_load((FOLDER / "alerts.yaml").read_text())["spec"])
    (tmp_path / "prometheus").mkdir()
    async with (
        running_programs(tmp_path) as programs,
        prometheus(tmp_path / "prometheus", programs.targets, rules) as server,
    ):
        await programs.begin()
        missing = TARGETS
        async with asyncio.timeout(SECONDS):
            while missing:
                await programs.work()
                missing = [one for one in missing if not await has_numbers(server, one)]
                await asyncio.sleep(0.2)

        up = await server.values("up")
        assert {labels["job"]: value for labels, value in up} == dict.fromkeys(programs.targets, 1)
        current = await server.values("katib_experiments_current")
        assert {labels["namespace"] for labels, _ in current} == {"ns"}

        await check_types(server)
        await check_alerts(server)
