"""docs/controller.md names every metric, reason, cause, and setting of the policy."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest

from controller.metrics import Metrics
from controller.reconcile.views import Policy
from controller.settings import Settings
from serving.settings import flags_of

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "controller.md").read_text(encoding="utf-8")
CORE = ROOT / "controller" / "reconcile"
SOURCES = {path.stem: path.read_text(encoding="utf-8") for path in CORE.glob("*.py")}


@pytest.mark.parametrize("modules", [("trial_states", "trial_transitions"), ("experiment_states",)])
def test_it_names_every_reason(modules: tuple[str, ...]) -> None:
    code = "".join(SOURCES[module] for module in modules)
    reasons = set(re.findall(r'"((?:Trial|Experiment)[A-Z]\w+|MetricsUnavailable)"', code))

    assert len(reasons) > 4
    assert {reason for reason in reasons if f"`{reason}`" not in TEXT} == set()


def test_it_names_every_reason_that_the_code_has_and_no_other() -> None:
    modules = (
        "trial_states",
        "trial_transitions",
        "experiment_states",
        "experiments",
        "suggestions",
        "suggestion_conditions",
    )
    code = "".join(SOURCES[module] for module in modules)
    for path in ("objects/validation_update.py", "early_stopping.py"):
        code += (ROOT / "api" / path).read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| \w+(?:, False)? \| `(\w+)` \|", TEXT, re.MULTILINE))

    assert documented
    assert {reason for reason in documented if f'"{reason}"' not in code} == set()


def test_every_cause_that_it_explains_is_one_that_the_code_gives() -> None:
    table = TEXT.split("| it says | look at |")[1].split("\n\n")[0]
    causes = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)

    assert len(causes) == 8
    assert [cause for cause in causes if cause not in SOURCES["observation"]] == []


def test_it_has_the_policy_with_its_defaults() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", TEXT.split("## Times")[1], re.MULTILINE))
    policy = Policy()

    assert rows.keys() == {field.name for field in fields(Policy)}
    for name, documented in rows.items():
        value = getattr(policy, name)
        if isinstance(value, timedelta):
            assert documented == f"{value.total_seconds():g} s"
        else:
            assert documented == {None: "none", True: "true"}[value]


def test_each_setting_of_the_policy_has_its_flag() -> None:
    named = {flag.name.removeprefix("--").replace("-", "_") for flag in flags_of(Settings)}

    assert {field.name for field in fields(Policy)} <= named


def test_it_names_each_metric() -> None:
    metrics = Metrics()
    there = re.findall(r"^# TYPE ((?:trialwatch|katib)_\w+)", metrics.text().decode(), re.MULTILINE)
    documented = set(re.findall(r"^\| `((?:trialwatch_controller|katib)_\w+)", TEXT, re.MULTILINE))

    assert documented == {name for name in there if not name.endswith("_created")}


@pytest.mark.parametrize("path", ["GET /healthz", "GET /readyz", "GET /metrics"])
def test_it_names_each_path(path: str) -> None:
    assert f"| `{path}` |" in TEXT
