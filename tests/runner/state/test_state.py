"""A state directory: objects come back as they were, and one run has it for itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import SetupError
from api.names import TRIAL_FINALIZER
from api.objects.yamlout import dump_objects
from api.types import Experiment, ObjectMeta, Suggestion, Trial, TrialStatus
from controller.driver.ports import Conflict
from controller.reconcile.views import Key
from runner.experiments import read_text
from runner.pods.bind_mounts import BindMount
from runner.pods.spawner_protocol import Launch, LineBuffer, command_from, to_line
from runner.state.directory import StateDirectory
from runner.state.documents import write_document
from runner.state.objects import FileObjects
from tests.runner.experiment_runs import experiment

META = ObjectMeta(name="quick", namespace="default")
TRIAL = Trial(metadata=replace(META, name="quick-a", finalizers=(TRIAL_FINALIZER,)))
KEY = Key(namespace="default", name="quick-a")


def objects(state: StateDirectory) -> FileObjects:
    return FileObjects(state, lambda: datetime(2026, 1, 31, tzinfo=UTC), lambda _item: None)


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    made = StateDirectory(tmp_path / "state")
    made.make()
    return made


async def test_objects_come_back_as_they_were(state: StateDirectory) -> None:
    first = objects(state)
    given_: Experiment = read_text(dump_objects([experiment()]), "e.yaml").experiment
    first.apply(given_)
    await first.create(Suggestion(metadata=META))
    await first.create(TRIAL)
    made = await first.trial(KEY)
    assert made is not None
    status = TrialStatus(start_time="2026-01-31T00:00:00Z")
    await first.write_status(replace(made, status=status))

    again = objects(state)

    assert again.stored_experiment == first.stored_experiment
    assert again.stored_suggestion == first.stored_suggestion
    assert again.all_trials == first.all_trials


async def test_versions_go_on_where_they_were(state: StateDirectory) -> None:
    first = objects(state)
    await first.create(TRIAL)
    old = await first.trial(KEY)
    assert old is not None
    again = objects(state)
    await again.write_status(replace(old, status=TrialStatus(start_time="2026-01-31T00:00:00Z")))
    new = await again.trial(KEY)
    assert new is not None

    assert int(new.metadata.resource_version) > int(old.metadata.resource_version)
    with pytest.raises(Conflict):
        await again.write_status(replace(old, status=TrialStatus()))


async def test_a_trial_that_is_let_go_leaves_no_file(state: StateDirectory) -> None:
    first = objects(state)
    await first.create(TRIAL)
    await first.delete(TRIAL)
    held = objects(state).all_trials
    await first.release(TRIAL)

    assert list(held) == [KEY]
    assert objects(state).all_trials == {}


def test_a_damaged_file_is_named_with_the_remedy(state: StateDirectory) -> None:
    (state.trials / "quick-a.yaml").write_text("kind: [")

    with pytest.raises(SetupError, match=r"quick-a\.yaml cannot be read.*start again"):
        objects(state)


def test_a_disk_that_refuses_is_no_damage(state: StateDirectory) -> None:
    path = state.trials / "missing" / "x.yaml"

    with pytest.raises(SetupError, match="make room, then run again"):
        write_document(path, {"kind": "Trial"})


def test_who_waits_for_the_lock_says_who_has_it(state: StateDirectory) -> None:
    with (
        state.locked(),
        pytest.raises(SetupError, match=r"another run \(process \d+\) uses"),
        state.locked(patience=0.0),
    ):
        pass
    with state.locked(patience=0.0):
        pass


TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=8)


@given(
    st.builds(
        Launch,
        id=TEXT,
        argv=st.lists(TEXT, max_size=3).map(tuple),
        env=st.dictionaries(TEXT, TEXT, max_size=3),
        cwd=TEXT,
        log=TEXT,
        binds=st.lists(st.builds(BindMount, source=TEXT, target=TEXT), max_size=2).map(tuple),
    ),
    st.integers(1, 50),
)
def test_an_order_is_read_as_it_was_written_however_it_is_cut(launch: Launch, cut: int) -> None:
    line, lines = to_line(launch), LineBuffer()
    found = [one for i in range(0, len(line), cut) for one in lines.feed(line[i : i + cut])]

    assert [command_from(one) for one in found] == [launch]
