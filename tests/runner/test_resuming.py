"""How a run begins on stored objects: which trials run again, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.objects.enqueued import enqueued_points, with_enqueue
from api.objects.yamlout import dump_objects
from api.types import Assignment, ConditionType, Experiment, SuggestedTrial
from controller.reconcile.creation import trial_of
from controller.reconcile.suggestions import suggestion_of
from controller.reconcile.trial_transitions import end_trial, mark_created, mark_running
from controller.reconcile.views import Key
from runner.experiments import read_text
from runner.resuming import Differs, begin, must_start_anew, resume
from runner.state.directory import StateDirectory
from runner.state.objects import FileObjects
from tests.runner.experiment_runs import experiment

NOW = datetime(2026, 1, 31, tzinfo=UTC)
OTHER_COMMAND = ["sh", "-c", "echo loss=1; : ${trialParameters.lr}"]
OTHER_SPACE = {"parameters": [{
    "name": "lr", "parameterType": "double", "feasibleSpace": {"min": "1e-3", "max": "0.5"},
}]}  # fmt: skip


def given(**changes: Any) -> Experiment:  # noqa: ANN401 - those of `experiment`
    return read_text(dump_objects([experiment(**changes)]), "e.yaml").experiment


def load(state: StateDirectory) -> FileObjects:
    return FileObjects(state, lambda: NOW, lambda _item: None)


@pytest.fixture
async def state(tmp_path: Path) -> StateDirectory:
    """A state with a trial that runs, and one that has failed."""
    made = StateDirectory(tmp_path / "state")
    made.make()
    objects = load(made)
    begin(objects, given())
    stored = objects.stored_experiment
    assert stored is not None
    await objects.create(suggestion_of(stored))
    for name, value in (("quick-runs", "0.1"), ("quick-failed", "0.0625")):
        entry = SuggestedTrial(name=name, assignments=(Assignment(name="lr", value=value),))
        await objects.create(trial_of(stored, entry, None))
        trial = await objects.trial(Key(namespace="default", name=name))
        assert trial is not None
        begun = mark_running(mark_created(trial, NOW), NOW)
        ends = name == "quick-failed"
        await objects.write_status(end_trial(begun, ConditionType.FAILED, NOW) if ends else begun)
    return made


def names(objects: FileObjects, **changes: Any) -> list[str]:  # noqa: ANN401
    """Return the names of the trials that run again with a changed file."""
    return sorted(trial.metadata.name for trial in begin(objects, given(**changes)).retried)


async def test_an_interrupted_trial_of_the_same_file_goes_on_and_a_failed_one_runs_again(
    state: StateDirectory,
) -> None:
    assert names(load(state)) == ["quick-failed"]


async def test_with_another_command_all_trials_run_again(state: StateDirectory) -> None:
    objects = load(state)
    beginning = begin(objects, given(command=OTHER_COMMAND))
    resume(objects, beginning, NOW)
    again = load(state)

    assert len(beginning.retried) == 2
    assert again.all_trials == {}
    assert again.stored_suggestion is not None
    entries = again.stored_suggestion.status.suggestions
    assert {entry.name: entry.assignments[0].value for entry in entries} == {
        "quick-runs": "0.1",
        "quick-failed": "0.0625",
    }


async def test_a_crash_before_the_trials_run_again_is_made_up_for(state: StateDirectory) -> None:
    begin(load(state), given(command=OTHER_COMMAND))  # it has stored the new command only

    assert names(load(state), command=OTHER_COMMAND) == ["quick-failed", "quick-runs"]


async def test_another_search_cannot_use_trials_without_results(state: StateDirectory) -> None:
    stored = load(state).stored_experiment
    assert stored is not None
    with_result = replace(stored, status=replace(stored.status, trials_succeeded=1))

    assert must_start_anew(stored, given(**OTHER_SPACE))
    assert not must_start_anew(stored, given(command=OTHER_COMMAND))
    assert not must_start_anew(with_result, given(**OTHER_SPACE))
    with pytest.raises(Differs, match=r"spec\.parameters"):
        begin(load(state), given(**OTHER_SPACE))


def test_enqueued_points_are_taken_over_before_the_first_trial_and_refused_after_it(
    tmp_path: Path,
) -> None:
    made = StateDirectory(tmp_path / "state")
    made.make()
    begin(load(made), given())
    first = with_enqueue(given(), ["lr=0.1"])
    begin(load(made), first)
    objects = load(made)
    stored = objects.stored_experiment
    assert stored is not None
    assert [one.value for one in enqueued_points(stored)[0]] == ["0.1"]

    asked = suggestion_of(stored)
    objects.put(replace(asked, status=replace(asked.status, suggestion_count=1)))

    begin(load(made), first)
    begin(load(made), given())  # the line without the flag continues the search
    with pytest.raises(Differs, match=r"trialwatch\.dev/enqueue.*cannot come first"):
        begin(load(made), with_enqueue(given(), ["lr=0.2"]))
