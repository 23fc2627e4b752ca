"""docs/algorithms.md names every algorithm, setting and default."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from suggestion.algorithms.darts import Darts
from suggestion.core.registry import BUILT_IN, find
from suggestion.core.search_space import MOST_PARAMETERS, MOST_VALUES
from suggestion.service.metrics import Metrics
from suggestion.service.search_calls import MOST_POINTS, MOST_SENT_TRIALS
from suggestion.workers.fair_queue import QueueBounds
from suggestion.workers.memory_limit import memory_of_worker

TEXT = (Path(__file__).parents[2] / "docs" / "algorithms.md").read_text()
CMAES_SIGMAS = {("cmaes", "sigma"), ("cmaes", "sigma_share")}
ROWS = dict(reversed(re.findall(r"^\| `([^`]+)` \|(.+)\|$", TEXT, re.MULTILINE)))
"""The first row of each name."""


def test_it_has_a_row_for_each_algorithm() -> None:
    assert BUILT_IN.keys() <= ROWS.keys()


@pytest.mark.parametrize("name", BUILT_IN)
def test_it_names_each_setting_with_its_default(name: str) -> None:
    algorithm = find(name)
    search = algorithm.make()
    required = set(algorithm.required)
    documented = set(re.findall(r"`([a-zA-Z_]+)`", ROWS[name].split("|")[-1]))
    defaults = {field.name: getattr(search, field.name) for field in dataclasses.fields(search)}  # type: ignore[arg-type]
    if algorithm.budgeted:
        defaults = {}  # its fields are no settings
    if isinstance(search, Darts):
        defaults = dict(search.settings)

    assert documented == {rule.name for rule in algorithm.rules} | {"random_state"}
    for setting, default in defaults.items():
        shown = "1/6" if (name, setting) in CMAES_SIGMAS else str(default)
        shown = "required" if setting in required else shown
        assert re.search(rf"`{setting}`[^`]*\({re.escape(shown)}\)", ROWS[name]), setting


@pytest.mark.parametrize("name", BUILT_IN)
def test_it_names_the_upper_bound_of_each_setting(name: str) -> None:
    algorithm = find(name)
    for rule in algorithm.rules:
        if rule.most is not None:
            assert re.search(rf"`{rule.name}`[^`]* to {rule.most} \(", ROWS[name]), rule.name
    assert f"`random_state` is a whole number from 0 to {algorithm.seed.most}." in TEXT


@pytest.mark.parametrize(
    "limit",
    [
        f"{MOST_PARAMETERS} parameters, {MOST_VALUES} values in all lists together, 100 settings",
        f"{MOST_SENT_TRIALS} trials sent, {MOST_POINTS} points requested",
        f"| {QueueBounds().namespace_calls} waiting calls, {QueueBounds().namespace_bytes >> 20} MiB |",
        f"| {QueueBounds().all_calls} waiting calls, {QueueBounds().all_bytes >> 20} MiB |",
        f"at least {memory_of_worker(1, 0) >> 20} MiB",
    ],
)
def test_it_names_each_limit(limit: str) -> None:
    assert limit in TEXT


def test_it_names_each_metric() -> None:
    text = generate_latest(Metrics().registry).decode()
    there = set(re.findall(r"^# TYPE (trialwatch_\w+)", text, re.MULTILINE))
    documented = set(re.findall(r"^\| `(trialwatch_suggestion_\w+)", TEXT, re.MULTILINE))

    assert documented == {name for name in there if not name.endswith("_created")}
