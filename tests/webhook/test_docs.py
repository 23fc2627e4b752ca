"""docs/webhook.md names every reason, path and metric, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kube.testing.memory import MemoryCluster
from webhook.driver.cluster_lookups import lookup_caches
from webhook.model.reasons import Reason
from webhook.server.experiment_handler import MUTATE, VALIDATE
from webhook.server.metrics import Metrics
from webhook.server.pod_handler import PATH

TEXT = (Path(__file__).parents[2] / "docs" / "webhook.md").read_text()
ROWS = dict(re.findall(r"^\| `([^`]+)` \|(.+)\|$", TEXT, re.MULTILINE))


def test_it_explains_each_reason_in_the_words_of_the_code_and_says_what_to_do() -> None:
    rows = {name: [cell.strip() for cell in row.split(" | ")] for name, row in ROWS.items()}

    for reason in Reason:
        _, sentence, remedy = rows[reason.value]
        assert sentence == reason.sentence
        assert remedy


def test_it_names_each_metric_with_its_labels() -> None:
    metrics = Metrics()
    metrics.show_caches(lookup_caches(MemoryCluster()))
    metrics.show_certificate(lambda: None)
    there = set(re.findall(r"^# TYPE (trialwatch_\w+)", metrics.text().decode(), re.MULTILINE))
    documented = set(re.findall(r"`(trialwatch_webhook_\w+)", TEXT))

    assert documented == {name for name in there if not name.endswith("_created")}


@pytest.mark.parametrize(
    "path",
    [
        *(f"POST {path}" for path in (PATH, MUTATE, VALIDATE)),
        *("GET /healthz", "GET /readyz", "GET /metrics"),
    ],
)
def test_it_names_each_path(path: str) -> None:
    assert path in ROWS
