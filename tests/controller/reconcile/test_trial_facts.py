"""Facts of trials: the cache always equals a new computation."""

from __future__ import annotations

import random
from dataclasses import replace

from api.types import Trial
from controller.reconcile.trial_facts import TrialFactsCache, facts_of_trials
from controller.reconcile.trial_states import TrialState
from tests.controller.experiment_harness import ExperimentHarness, experiment


async def trials() -> list[Trial]:
    """Make some that run, some that have ended well, and one that has not."""
    harness = ExperimentHarness(experiment(max_trial_count=8, parallel_trial_count=4))
    await harness.settle()
    first, second, *_ = harness.in_state(TrialState.RUNNING)
    harness.succeed(first, "0.5")
    harness.fail(second)
    await harness.settle(seconds=1)
    return list(harness.trials)


async def test_what_is_remembered_equals_what_is_worked_out() -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")  # noqa: T201 - to repeat it
    dice = random.Random(seed)
    there, known = await trials(), TrialFactsCache()
    pool = list(there)
    for _ in range(50):
        dice.shuffle(there)
        if dice.random() < 0.4 and there:
            del there[dice.randrange(len(there))]
        if dice.random() < 0.4:
            there = [*{one.metadata.name: one for one in (*there, dice.choice(pool))}.values()]
        if dice.random() < 0.4 and there:
            status = dice.choice(pool).status
            place = dice.randrange(len(there))
            there[place] = replace(there[place], status=status)

        assert known(there) == facts_of_trials(there)


async def test_a_trial_that_has_not_changed_is_not_worked_out_again() -> None:
    there, known = await trials(), TrialFactsCache()
    before = {one.trial.metadata.name: one for one in known(there)}
    changed = there[0] = replace(there[0], metadata=replace(there[0].metadata, labels={}))

    after = {one.trial.metadata.name: one for one in known(there)}

    name = changed.metadata.name
    assert after[name] != before[name]
    assert all(after[other] is before[other] for other in before if other != name)


async def test_members_come_in_the_order_in_which_they_were_asked_for() -> None:
    there = await trials()
    numbers = [one.order[0] for one in facts_of_trials(there[::-1])]
    assert numbers == list(range(len(there)))
