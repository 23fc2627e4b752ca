"""Early stopping on the recorded learning curves saves what docs/algorithms.md says."""

from __future__ import annotations

import json
import random
import statistics

import pytest

from bench.record_curves import FILE, STEPS, TASKS
from bench.stopping import STOPPERS, Outcome, replay

TABLE = json.loads(FILE.read_text())


def searches(rule: str, seeds: int = 3) -> list[Outcome]:
    return [
        replay(random.Random(seed).sample(task["curves"], 40), task["noise"], STOPPERS[rule]())
        for task in TABLE.values()
        for seed in range(seeds)
    ]


def test_the_table_has_each_task_with_curves_of_one_length() -> None:
    assert TABLE.keys() == {task.name for task in TASKS}
    assert {len(curve) for task in TABLE.values() for curve in task["curves"]} == {STEPS}


@pytest.mark.parametrize(("rule", "least"), [("medianstop", 0.3), ("asha", 0.6)])
def test_a_rule_saves_steps_at_an_equal_best_value_within_the_noise(
    rule: str, least: float
) -> None:
    found = searches(rule)

    assert statistics.fmean(one.saved for one in found) >= least
    assert statistics.fmean(one.excess for one in found) <= 1


def test_a_search_that_nothing_stops_saves_nothing() -> None:
    class Nothing:
        def report(self, trial: int, step: int, loss: float) -> set[int]:
            del trial, step, loss
            return set()

        def ended(self, trial: int) -> None:
            pass

    assert replay([[3, 2, 1], [5, 4, 3]], 1.0, Nothing()) == Outcome(saved=0, excess=0)
