"""The state directory as a source of the pages."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from api.errors import SetupError, Unavailable
from api.names import NUMBER_LABEL
from api.objects.experiments import render_experiment
from api.objects.trials import render_trial
from api.types import Experiment, Trial
from dbmanager.store.contract import NewRow, TrialKey
from dbmanager.store.sqlite.store import SqliteStore
from runner.pods.container_log import ContainerLog
from runner.state.directory import StateDirectory, state_of
from runner.state.documents import write_document
from tests.contracts.pages_source import (
    FIRST,
    KEY,
    SECOND,
    SourceContract,
    begin,
    of_team,
    points,
    two_trials,
)
from ui.sources.local import LocalSource
from ui.sources.port import NewPoint

POD, TRAINER = "pod-1", "training-container"


class LocalStage:
    """Writes as a run does, and reads as the pages do."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.source = LocalSource(root)
        self._store: SqliteStore | None = None

    def state(self, name: str = KEY.name) -> StateDirectory:
        return state_of(self.root, KEY.namespace, name)

    async def put(self, experiment: Experiment, trials: Sequence[Trial]) -> None:
        state = self.state(experiment.metadata.name)
        state.make()
        for place, trial in enumerate(trials):
            labels = {NUMBER_LABEL: str(place)}
            metadata = replace(trial.metadata, labels=labels, namespace=KEY.namespace)
            numbered = replace(trial, metadata=metadata)
            write_document(state.trials / f"{trial.metadata.name}.yaml", render_trial(numbered))
        write_document(state.experiment, render_experiment(experiment))
        if self._store is None:
            self._store = SqliteStore(self.state().database)
            self.state().make()
            await self._store.open()

    async def report(self, name: str, points: Sequence[NewPoint]) -> None:
        assert self._store is not None
        rows = [NewRow(one.micros, one.metric, one.text, one.step) for one in points]
        await self._store.report(TrialKey(namespace=KEY.namespace, trial=name), rows)

    async def print(self, name: str, output: bytes) -> None:
        folder = self.state().logs / name / POD
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{TRAINER}.log").open("ab") as file:
            file.write(output)

    async def close(self) -> None:
        await self.source.close()
        if self._store is not None:
            await self._store.close()


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[LocalStage]:
    made = LocalStage(tmp_path)
    yield made
    await made.close()


class TestLocalSource(SourceContract):
    pass


async def test_a_directory_that_does_not_exist_has_no_experiments(tmp_path: Path) -> None:
    source = LocalSource(tmp_path / "later")

    assert await source.experiments() == []


async def test_an_experiment_that_no_run_works_on_is_interrupted(stage: LocalStage) -> None:
    await begin(stage)

    found = await stage.source.experiment(KEY)

    assert found.run.interrupted
    assert "experiment random was interrupted; to continue" in found.run.notice


async def test_an_experiment_that_a_run_works_on_is_not_interrupted(stage: LocalStage) -> None:
    await begin(stage)

    with stage.state().locked():
        found = await stage.source.experiment(KEY)

    assert not found.run.interrupted


async def test_an_experiment_that_was_moved_aside_is_left_out(stage: LocalStage) -> None:
    await begin(stage)
    stage.state().path.rename(stage.state().path.with_name("random.2026-01-01-000000"))

    assert await stage.source.experiments() == []


async def test_the_newest_values_of_a_running_trial_come_from_the_store(stage: LocalStage) -> None:
    await begin(stage)
    await stage.report(SECOND, points("5", "4"))

    found = await stage.source.experiment(KEY)

    assert found.latest == {SECOND: {"loss": "4"}}


async def test_an_experiment_without_a_store_shows_its_trials(stage: LocalStage) -> None:
    await begin(stage)
    for path in stage.state().path.glob("observations.db*"):
        path.unlink()

    found = await stage.source.experiment(KEY)

    assert [one.metadata.name for one in found.trials] == [FIRST, SECOND]
    with pytest.raises(Unavailable, match="the run has not begun"):
        await stage.source.stored_points(KEY, FIRST)


async def test_a_database_that_is_replaced_is_opened_anew(stage: LocalStage) -> None:
    await begin(stage)
    await stage.report(FIRST, points("5"))
    await stage.source.stored_points(KEY, FIRST)
    state = stage.state()
    for path in state.path.glob("observations.db*"):
        path.unlink()
    other = SqliteStore(state.database)
    await other.open()
    await other.report(TrialKey(namespace=KEY.namespace, trial=FIRST), [NewRow(1, "loss", "7")])

    found = await stage.source.stored_points(KEY, FIRST)

    await other.close()
    assert [one.text for one in found.by_metric["loss"]] == ["7"]


async def test_a_file_that_is_no_database_is_unavailable(stage: LocalStage) -> None:
    trials = two_trials()
    await stage.put(of_team(trials, "other"), trials)
    stage.state("other").database.write_bytes(b"x" * 5000)

    key = KEY._replace(name="other")
    with pytest.raises(SetupError, match=r"observations\.db"):
        await stage.source.stored_points(key, FIRST)


async def test_a_log_that_was_rotated_is_read_to_its_end_and_continued(stage: LocalStage) -> None:
    await begin(stage)
    folder = stage.state().logs / FIRST / POD
    folder.mkdir(parents=True)
    log = ContainerLog(str(folder / f"{TRAINER}.log"), limit=20)
    log.write(b"one\n")
    piece = await stage.source.log(KEY, FIRST, "", 100)
    log.write(b"two\n")
    log.write(b"three-three\n")  # begins a new file
    log.close()

    seen, places = [], []
    for _ in range(3):
        piece = await stage.source.log(KEY, FIRST, piece.place, 100)
        seen.append(piece.content)
        places.append(piece.is_tail)

    assert b"".join(seen) == b"two\nthree-three\n"
    assert places == [False, False, False]


async def test_no_read_of_the_pages_changes_the_database(stage: LocalStage) -> None:
    await begin(stage)
    await stage.report(FIRST, points("5"))

    await stage.source.stored_points(KEY, FIRST)
    async with aclosing(stage.source.points(KEY, FIRST, "")) as batches:
        await anext(batches)

    with sqlite3.connect(stage.state().database) as connection:
        rows = connection.execute("SELECT value FROM observation_logs").fetchall()
    connection.close()
    assert rows == [("5",)]
