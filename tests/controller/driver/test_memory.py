"""The in-memory objects behave like those of Kubernetes, as the driver expects."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from api.names import EXPERIMENT_LABEL, TRIAL_FINALIZER
from api.types import Experiment, ExperimentSpec, ObjectMeta, Trial, TrialStatus
from controller.driver.memory_objects import MemoryObjects
from controller.driver.ports import Conflict
from controller.reconcile.views import Key

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
KEY = Key(namespace="ns", name="t")


def objects() -> MemoryObjects:
    return MemoryObjects(lambda: NOW)


def trial(*finalizers: str, namespace: str = "ns") -> Trial:
    labels = {EXPERIMENT_LABEL: "e"}
    meta = ObjectMeta(name="t", namespace=namespace, labels=labels, finalizers=finalizers)
    return Trial(metadata=meta)


async def test_a_write_against_an_old_version_is_a_conflict_and_changes_nothing() -> None:
    kept = objects()
    await kept.create(trial())
    read = await kept.trial(KEY)
    assert read is not None
    first = replace(read, status=TrialStatus(start_time="first"))
    second = replace(read, status=TrialStatus(start_time="second"))

    await kept.write_status(first)
    with pytest.raises(Conflict):
        await kept.write_status(second)

    now = await kept.trial(KEY)
    assert now is not None
    assert now.status.start_time == "first"


async def test_a_status_write_leaves_the_spec_alone() -> None:
    kept = objects()
    kept.apply(Experiment(metadata=ObjectMeta(name="e"), spec=ExperimentSpec(max_trial_count=3)))
    read = await kept.experiment(Key(namespace="", name="e"))
    assert read is not None

    await kept.write_status(replace(read, spec=ExperimentSpec(max_trial_count=9)))

    now = await kept.experiment(Key(namespace="", name="e"))
    assert now is not None
    assert now.spec.max_trial_count == 3


async def test_creating_what_is_there_changes_nothing() -> None:
    kept = objects()
    await kept.create(trial())
    first = await kept.trial(KEY)

    await kept.create(replace(trial(), status=TrialStatus(start_time="other")))

    assert await kept.trial(KEY) == first


async def test_a_finalizer_holds_what_is_being_deleted() -> None:
    kept = objects()
    await kept.create(trial(TRIAL_FINALIZER))

    await kept.delete(trial())
    held = await kept.trial(KEY)
    assert held is not None
    assert held.metadata.deletion_timestamp == "2026-01-02T03:04:05Z"

    await kept.release(held)
    assert await kept.trial(KEY) is None


async def test_a_finalizer_of_others_still_holds_what_we_release() -> None:
    kept = objects()
    await kept.create(trial(TRIAL_FINALIZER, "theirs"))
    await kept.delete(trial())

    await kept.release(trial())

    held = await kept.trial(KEY)
    assert held is not None
    assert held.metadata.finalizers == ("theirs",)


async def test_trials_of_another_namespace_belong_to_another_experiment() -> None:
    kept = objects()
    await kept.create(trial())
    await kept.create(trial(namespace="other"))

    mine = await kept.trials(Key(namespace="ns", name="e"))

    assert [one.metadata.namespace for one in mine] == ["ns"]
