"""The alerts: promtool runs each in the situations of `alerts.yaml`."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from manifests.monitoring.__main__ import FOLDER, RUNBOOK
from manifests.monitoring.alerts import ALERTS
from tests.manifests.kustomize import ROOT
from tests.manifests.monitoring.prometheus_tools import promtool

CASES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("alerts.yaml").read_text())
GROUPS: dict[str, Any] = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["spec"]
RULES: dict[str, dict[str, Any]] = {rule["alert"]: rule for rule in GROUPS["groups"][0]["rules"]}
TEXT = (ROOT / RUNBOOK).read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(GROUPS))
    return tmp_path


def expected(case: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the alert that promtool must find, with its texts filled in."""
    if "fires" not in case:
        return []
    rule = RULES[case["alert"]]
    words = {f"$labels.{label}": value for label, value in case["fires"].items()}
    words["$value"] = str(case.get("value", ""))
    texts = {
        name: re.sub(r"\{\{ (\S+) \}\}", lambda found: words[found[1]], text)
        for name, text in rule["annotations"].items()
    }
    labels = {**case["fires"], **rule["labels"]}
    return [{"exp_labels": labels, "exp_annotations": texts}]


def test_promtool_accepts_the_rules(folder: Path) -> None:
    assert f"{len(ALERTS)} rules found" in promtool("check", "rules", "rules.yaml", folder=folder)


def test_the_alerts_fire_in_their_situations_alone(folder: Path) -> None:
    tests = [
        {
            "name": case["situation"],
            "interval": "1m",
            "input_series": [
                {"series": series, "values": values} for series, values in case["series"].items()
            ],
            "alert_rule_test": [
                {"eval_time": case["at"], "alertname": case["alert"], "exp_alerts": expected(case)}
            ],
        }
        for case in CASES
    ]
    document = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests}
    (folder / "tests.yaml").write_text(yaml.safe_dump(document))

    assert "SUCCESS" in promtool("test", "rules", "tests.yaml", folder=folder)


def test_each_alert_has_a_situation_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    counts = Counter((case["alert"], "fires" in case) for case in CASES)

    assert {alert for alert, _ in counts} == RULES.keys()
    for alert in RULES:
        assert counts[alert, True] > 0
        assert counts[alert, False] > 0


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_each_alert_has_its_runbook(alert: Any) -> None:  # noqa: ANN401 - of a parameter
    anchor = RULES[alert.name]["annotations"]["runbook"]
    sections = dict(re.findall(r"^### (\w+)\n\n(.+?)(?=^#|\Z)", TEXT, re.MULTILINE | re.DOTALL))

    assert anchor == f"{RUNBOOK}#{alert.name.lower()}"
    section = sections[alert.name]
    assert "\n1. " in section, "what to do, step by step"
    assert f"({alert.severity.value})" in section


def test_no_runbook_is_for_an_alert_that_does_not_exist() -> None:
    assert set(re.findall(r"^### (Trialwatch\w+)$", TEXT, re.MULTILINE)) == RULES.keys()
