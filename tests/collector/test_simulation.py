"""Whole trials in memory, with faults at any moment: no value is lost or stored twice.

`TRIALWATCH_FAULT_RUNS` says how many there are (5,000), `TRIALWATCH_FAULT_SEED` the first one's
seed (0). A run is repeated exactly by its seed; `World.history` tells what happened in it.
"""

from __future__ import annotations

import os

import pytest

from collector.core import attempt_reader, batches
from tests.collector.delivery_check import faults_of
from tests.collector.simulated_collector import seconds_to_the_end, simulate

RUNS = int(os.environ.get("TRIALWATCH_FAULT_RUNS", "5000"))
FIRST = int(os.environ.get("TRIALWATCH_FAULT_SEED", "0"))
_AT_ONCE = 250


@pytest.fixture(autouse=True)
def small_borders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make batches and reads so small that they end everywhere."""
    monkeypatch.setattr(batches, "BATCH_POINTS", 4)
    monkeypatch.setattr(batches, "_LEAST_PIECE", 16)
    monkeypatch.setattr(attempt_reader, "_LEAST", 48)
    monkeypatch.setattr(attempt_reader, "_MOST", 512)


@pytest.mark.parametrize("first", range(FIRST, FIRST + RUNS, _AT_ONCE))
def test_every_value_is_stored_once_or_its_loss_is_logged(first: int) -> None:
    faults = {}
    for seed in range(first, min(first + _AT_ONCE, FIRST + RUNS)):
        world = simulate(seed)
        if found := faults_of(world):
            faults[seed] = found
    assert not faults


@pytest.mark.parametrize("first", range(FIRST, FIRST + RUNS // 10, _AT_ONCE))
def test_every_value_in_an_event_file_is_stored_once_or_its_loss_is_logged(first: int) -> None:
    faults = {}
    for seed in range(first, min(first + _AT_ONCE, FIRST + RUNS // 10)):
        world = simulate(seed, kinds=("events",))
        if found := faults_of(world):
            faults[seed] = found
    assert not faults


@pytest.mark.parametrize("first", range(FIRST, FIRST + RUNS // 10, _AT_ONCE))
def test_every_accepted_push_is_stored_once_and_no_refused_one(first: int) -> None:
    faults = {}
    for seed in range(first, min(first + _AT_ONCE, FIRST + RUNS // 10)):
        world = simulate(seed, kinds=("file", "stdout", "events"), pushes=True)
        if found := faults_of(world):
            faults[seed] = found
    assert not faults


_GRACE = 28.0


@pytest.mark.parametrize("first", range(FIRST, FIRST + RUNS // 5, _AT_ONCE))
def test_after_the_end_signal_it_ends_within_the_grace_period_whatever_fails(first: int) -> None:
    seeds = range(first, min(first + _AT_ONCE, FIRST + RUNS // 5))
    seconds = {seed: seconds_to_the_end(seed, _GRACE) for seed in seeds}
    assert {seed: took for seed, took in seconds.items() if took > _GRACE + 0.2} == {}
