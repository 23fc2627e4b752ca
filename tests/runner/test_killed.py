"""The runner is killed at any moment, and started again: nothing lost, nothing counted twice."""

from __future__ import annotations

import asyncio
import os
import random
import time
from pathlib import Path

import pytest

from dbmanager.store.contract import Query, TrialKey
from dbmanager.store.sqlite.store import SqliteStore
from tests.runner.experiment_runs import Machine, experiment, state_of, wait_for
from tests.runner.local_pods import processes_with

SCRIPT = (
    "echo ${trialParameters.lr} >> begun; (setsid sleep 600 &); echo loss=9; sleep 0.$RANDOM_;"
    " echo loss=${trialParameters.lr}; echo ${trialParameters.lr} >> ended"
)
LONGEST = 1.5
"""Seconds after its start, or its first trial, at which the runner is killed at the latest."""


@pytest.mark.parametrize("seed", range(20))
def test_killed_at_a_random_moment_it_loses_nothing_and_counts_nothing_twice(
    machine: Machine, seed: int
) -> None:
    dice = random.Random(seed)
    mark = f"killed-{seed}-{os.getpid()}"
    script = SCRIPT.replace("$RANDOM_", str(dice.randint(0, 9)))
    machine.write(experiment(command=["sh", "-c", script]))
    moment = dice.uniform(0, LONGEST)
    first = machine.start("run", "e.yaml", MARK=mark)
    if seed % 4:  # else it may be killed before it has done anything
        wait_for(lambda: [*machine.state().glob("trials/*.yaml")])
    time.sleep(moment)
    first.kill()
    first.communicate()
    wait_for(lambda: not processes_with(f"MARK={mark}"), "it left processes behind")
    status, done = machine.run()

    print(f"seed {seed}: killed after {moment:.2f} s")  # noqa: T201 - beside a failure
    trials = machine.trials()
    lines = (machine.folder / "ended").read_text().split()
    chosen = {name: _parameter(trial) for name, trial in trials.items()}
    assert status == 0
    assert done["status"]["trials"] == done["status"]["trialsSucceeded"] == len(trials) == 4
    assert all(state_of(trial) == "Succeeded" for trial in trials.values())
    assert len(set(chosen.values())) == 4
    assert set(lines) == set(chosen.values())
    assert _read(machine.state() / "observations.db", trials) == {
        name: ["9", value] for name, value in chosen.items()
    }


def test_however_often_it_is_killed_the_budget_is_the_same(machine: Machine) -> None:
    dice = random.Random(1)
    machine.write(experiment(command=["sh", "-c", SCRIPT.replace("$RANDOM_", "3")]))
    for _ in range(5):
        run = machine.start("run", "e.yaml")
        time.sleep(dice.uniform(1.0, 2.5))
        run.kill()
        run.communicate()
    status, done = machine.run()

    assert status == 0
    assert done["status"]["trialsSucceeded"] == len(machine.trials()) == 4


def _parameter(trial: dict[str, object]) -> str:
    spec = trial["spec"]
    assert isinstance(spec, dict)
    return str(spec["parameterAssignments"][0]["value"])


def _read(database: Path, trials: dict[str, dict[str, object]]) -> dict[str, list[str]]:
    """Read the visible values of each trial from the store."""

    async def read() -> dict[str, list[str]]:
        store = SqliteStore(database)
        await store.open()
        try:
            found = {}
            for name in trials:
                query = Query(key=TrialKey(namespace="default", trial=name), metrics=("loss",))
                found[name] = [row.value async for rows in store.read(query) for row in rows]
            return found
        finally:
            await store.close()

    return asyncio.run(read())
