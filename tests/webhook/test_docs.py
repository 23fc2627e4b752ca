"""docs/webhook.md names every flag, variable, reason, path and metric, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from api import names
from kube.testing.memory import MemoryCluster
from webhook.driver.lookups import caches
from webhook.flags import FLAGS, usage
from webhook.model.reasons import Reason
from webhook.server.experiment_handler import MUTATE, VALIDATE
from webhook.server.metrics import Metrics
from webhook.server.pod_handler import PATH
from webhook.settings import Settings

TEXT = (Path(__file__).parents[2] / "docs" / "webhook.md").read_text()
ROWS = dict(re.findall(r"^\| `([^`]+)` \|(.+)\|$", TEXT, re.MULTILINE))


def test_it_names_each_flag() -> None:
    told = {name.split()[0] for name in ROWS if name.startswith("--")}

    assert told == {flag.name for flag in FLAGS}
    assert all(f"{flag.name} {flag.value}".strip() in ROWS for flag in FLAGS)


def test_it_tells_the_defaults_of_flags() -> None:
    plain = Settings()
    assert ROWS["--listen HOST:PORT"].endswith(f"| {plain.listen} ")
    assert ROWS["--linger DURATION"].endswith(f"| {plain.linger.seconds}s ")
    assert ROWS["--grace DURATION"].endswith(f"| {plain.grace.seconds}s ")
    assert plain.plain_listen is None


@pytest.mark.parametrize(
    "variable",
    [
        names.CORE_NAMESPACE_ENV,
        names.DB_MANAGER_HOST_ENV,
        names.DB_MANAGER_NAMESPACE_ENV,
        names.DB_MANAGER_PORT_ENV,
    ],
)
def test_it_names_each_variable(variable: str) -> None:
    assert variable in ROWS
    assert variable in usage()


def test_it_tells_each_reason_in_its_own_words() -> None:
    told = {name: row.rpartition("| ")[2].strip() for name, row in ROWS.items()}

    assert {reason.value: told.get(reason.value) for reason in Reason} == {
        reason.value: reason.sentence for reason in Reason
    }


def test_it_names_each_metric_with_its_labels() -> None:
    metrics = Metrics()
    metrics.watch(caches(MemoryCluster()))
    metrics.watch_certificate(lambda: None)
    there = set(re.findall(r"^# TYPE (trialwatch_\w+)", metrics.text().decode(), re.MULTILINE))
    told = set(re.findall(r"`(trialwatch_webhook_\w+)", TEXT))

    assert told == {name for name in there if not name.endswith("_created")}


@pytest.mark.parametrize(
    "path",
    [
        *(f"POST {path}" for path in (PATH, MUTATE, VALIDATE)),
        *("GET /healthz", "GET /readyz", "GET /metrics"),
    ],
)
def test_it_names_each_path(path: str) -> None:
    assert path in ROWS
