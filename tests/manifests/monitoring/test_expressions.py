"""Panels and alerts name metrics, labels and values that the programs declare."""

from __future__ import annotations

import re

import pytest

from manifests.monitoring.alerts import ALERTS, Alert
from manifests.monitoring.catalog import CONTROLLER, LEFT_OUT, METRICS, PROGRAMS, WEBHOOK, Program
from manifests.monitoring.panels import ROWS, Panel, Query
from tests.manifests.kustomize import ROOT
from tests.manifests.monitoring.expressions import Selector, grouped_labels, labels_of, selectors
from webhook.server.experiment_handler import MUTATE, VALIDATE
from webhook.server.trial_handler import PATH as TRIAL_PATH
from webhook.server.uninstall_handler import PATH as UNINSTALL

PANELS = [panel for row in ROWS for panel in row.panels]
QUERIES = [query for panel in PANELS for query in panel.queries]
EXPRESSIONS = [
    *(pytest.param(query.expression, id=query.expression[:60]) for query in QUERIES),
    *(pytest.param(alert.expression, id=alert.name) for alert in ALERTS),
]
PAGES = {
    "trialwatch-controller": "controller.md",
    "trialwatch-webhook": "webhook.md",
    "katib-db-manager": "dbmanager.md",
    "trialwatch-suggestion": "algorithms.md",
}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_names_declared_metrics_with_their_labels_and_values(expression: str) -> None:
    found = selectors(expression)

    assert found
    for selector in found:
        assert selector.matchers.keys() <= labels_of(selector.metric), selector
        if selector.metric in METRICS:
            for label, values in selector.matchers.items():
                known = METRICS[selector.metric].labels.get(label, ())
                assert not known or set(values) <= set(known), selector
    possible = set.union(*(labels_of(selector.metric) for selector in found))
    assert grouped_labels(expression) <= possible


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.expression[:60])
def test_a_legend_names_labels_that_the_series_have(query: Query) -> None:
    shown = set(re.findall(r"\{\{(\w+)\}\}", query.legend))
    grouped = grouped_labels(query.expression)

    if "sum" in query.expression or "max" in query.expression or "min" in query.expression:
        assert shown <= grouped
    else:
        assert shown <= set.union(*(labels_of(one.metric) for one in selectors(query.expression)))


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_a_summary_names_labels_that_the_alert_has(alert: Alert) -> None:
    shown = set(re.findall(r"\$labels\.(\w+)", alert.summary))

    assert shown <= grouped_labels(alert.expression)


def test_each_metric_is_in_a_panel_or_is_left_out_for_a_reason() -> None:
    shown = {selector.metric for query in QUERIES for selector in selectors(query.expression)}

    assert LEFT_OUT.keys() <= METRICS.keys()
    assert all(LEFT_OUT.values())
    assert METRICS.keys() - shown == LEFT_OUT.keys()


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.title)
def test_a_panel_says_what_it_shows(panel: Panel) -> None:
    assert panel.description.endswith(".")
    assert panel.queries


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.job)
def test_the_documents_name_each_metric_with_its_labels(program: Program) -> None:
    text = (ROOT / "docs" / PAGES[program.job]).read_text(encoding="utf-8")
    tables = "".join(line for line in text.splitlines() if line.startswith("|"))
    documented = dict(re.findall(r"`((?:trialwatch|katib)_\w+)(?:\{([\w,]*)\})?`", tables))

    for metric in program.metrics:
        wanted = ",".join(metric.labels)
        assert documented.get(metric.name) == wanted, metric.name


def test_the_known_paths_are_those_of_the_webhook() -> None:
    metric = METRICS["trialwatch_webhook_experiment_reviews_total"]

    assert {f"/{path}" for path in metric.labels["path"]} == {
        MUTATE,
        VALIDATE,
        TRIAL_PATH,
        UNINSTALL,
    }


def test_the_metrics_of_a_histogram_are_read_by_its_name() -> None:
    expression = 'sum by (le) (rate(trialwatch_webhook_review_seconds_bucket{pod=~"a|b"}[5m]))'

    (found,) = selectors(expression)

    assert found == Selector("trialwatch_webhook_review_seconds", {"pod": ("a", "b")})
    assert found.metric in {metric.name for metric in WEBHOOK.metrics}


def test_a_metric_that_no_program_declares_is_an_error() -> None:
    (found,) = selectors("sum (trialwatch_controller_leader)")

    assert found.metric not in {metric.name for metric in CONTROLLER.metrics}
    with pytest.raises(KeyError):
        labels_of(found.metric)
