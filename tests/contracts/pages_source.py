"""What each source of the pages guarantees; a subclass has the fixture `stage`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

import pytest

from api.errors import UserError
from api.types import ConditionType, Experiment, Trial
from tests.trialwatch.view.watched_experiment import experiment, trial
from ui.sources.port import ExperimentKey, NewPoint, NotFound, PointBatch, Source

KEY = ExperimentKey("team", "random")
PATIENCE = 60.0
FIRST, SECOND = "random-0001", "random-0002"


class Stage(Protocol):
    """A source, and what changes the things that it reads."""

    @property
    def source(self) -> Source:
        """The source."""

    async def put(self, experiment: Experiment, trials: Sequence[Trial]) -> None:
        """Store an experiment with its trials, or replace it."""

    async def report(self, name: str, points: Sequence[NewPoint]) -> None:
        """Store points of a trial of the experiment KEY."""

    async def print(self, name: str, output: bytes) -> None:
        """Append to the log of a trial of the experiment KEY."""


def two_trials(value: str = "") -> tuple[Trial, Trial]:
    return trial(1, value="0.9"), trial(2, ConditionType.RUNNING, value)


def of_team(trials: Sequence[Trial], name: str = "random") -> Experiment:
    made = experiment(trials, FIRST, name=name)
    return replace(made, metadata=replace(made.metadata, namespace="team"))


async def begin(stage: Stage) -> None:
    trials = two_trials()
    await stage.put(of_team(trials), trials)


def points(*values: str, metric: str = "loss", start: int = 0) -> list[NewPoint]:
    """Return points, one a second from `start` on."""
    return [NewPoint(metric, (start + n) * 1_000_000, value) for n, value in enumerate(values)]


async def take(batches: AsyncGenerator[PointBatch], count: int) -> tuple[list[str], str]:
    """Return the next values, at least `count`, and the token behind them."""
    values: list[str] = []
    token = ""
    async with asyncio.timeout(PATIENCE):
        while len(values) < count:
            batch = await anext(batches)
            values += [point.text for point in batch.points]
            token = batch.token
    return values, token


class SourceContract:
    """The contract."""

    async def test_all_experiments_come_with_their_trials(self, stage: Stage) -> None:
        await begin(stage)
        await stage.put(of_team((), "other"), ())

        found = {
            one.experiment.metadata.name: [each.metadata.name for each in one.trials]
            for one in await stage.source.experiments()
        }

        assert found == {"random": [FIRST, SECOND], "other": []}

    async def test_an_experiment_is_found_by_its_names(self, stage: Stage) -> None:
        await begin(stage)

        found = await stage.source.experiment(KEY)

        assert found.experiment.metadata.namespace == "team"
        assert [one.metadata.name for one in found.trials] == [FIRST, SECOND]

    @pytest.mark.parametrize(
        "key", [("team", "other"), ("other", "random"), ("..", "random"), ("", ""), ("team", "a/b")]
    )
    async def test_an_experiment_that_does_not_exist_is_not_found(
        self, stage: Stage, key: tuple[str, str]
    ) -> None:
        await begin(stage)

        with pytest.raises(NotFound, match="there is no experiment"):
            await stage.source.experiment(ExperimentKey(*key))

    async def test_a_changed_trial_wakes_who_follows_the_experiment(self, stage: Stage) -> None:
        await begin(stage)

        async with aclosing(stage.source.changes(KEY)) as changes:
            waiting = asyncio.ensure_future(anext(changes))
            await self._change_until(stage, waiting)

        found = await stage.source.experiment(KEY)
        observation = found.trials[1].status.observation
        assert observation is not None
        assert observation.metrics[0].max.startswith("0.9")

    async def test_a_new_experiment_wakes_who_follows_all(self, stage: Stage) -> None:
        await begin(stage)

        async with aclosing(stage.source.changes(None)) as changes:
            waiting = asyncio.ensure_future(anext(changes))
            await self._change_until(stage, waiting)

    async def _change_until(self, stage: Stage, waiting: asyncio.Future[None]) -> None:
        """Change a trial again and again, until the change is noticed."""
        async with asyncio.timeout(PATIENCE):
            for number in range(10**6):
                trials = two_trials(f"0.9{number}")
                await stage.put(of_team(trials), trials)
                done, _ = await asyncio.wait((waiting,), timeout=0.3)
                if done:
                    return

    async def test_points_come_by_metric_in_their_order(self, stage: Stage) -> None:
        await begin(stage)
        await stage.report(FIRST, points("3", "2", "nan"))
        await stage.report(FIRST, points("0.5", metric="accuracy"))

        found = await stage.source.stored_points(KEY, FIRST)

        by_metric = {name: [one.text for one in all_] for name, all_ in found.by_metric.items()}
        assert by_metric == {"loss": ["3", "2", "nan"], "accuracy": ["0.5"]}
        assert [one.micros for one in found.by_metric["loss"]] == [0, 1_000_000, 2_000_000]

    async def test_a_step_stays_with_its_point(self, stage: Stage) -> None:
        await begin(stage)
        await stage.report(FIRST, [NewPoint("loss", 1, "3", 40), NewPoint("loss", 2, "2")])

        found = await stage.source.stored_points(KEY, FIRST)

        assert [one.step for one in found.by_metric["loss"]] == [40, None]

    async def test_the_stored_points_are_followed_by_new_ones(self, stage: Stage) -> None:
        await begin(stage)
        await stage.report(SECOND, points("5", "4"))

        async with aclosing(stage.source.points(KEY, SECOND, "")) as batches:
            before, _ = await take(batches, 2)
            await stage.report(SECOND, points("3", start=9))
            after, _ = await take(batches, 1)

        assert (before, after) == (["5", "4"], ["3"])

    async def test_a_token_continues_without_a_hole_and_without_a_repeat(
        self, stage: Stage
    ) -> None:
        await begin(stage)
        await stage.report(SECOND, points("5", "4"))
        async with aclosing(stage.source.points(KEY, SECOND, "")) as batches:
            _, token = await take(batches, 2)
        await stage.report(SECOND, points("3", "2", start=9))

        async with aclosing(stage.source.points(KEY, SECOND, token)) as batches:
            values, _ = await take(batches, 2)

        assert values == ["3", "2"]

    async def test_the_token_of_the_stored_points_continues_behind_them(self, stage: Stage) -> None:
        await begin(stage)
        await stage.report(SECOND, points("5", "4"))
        stored = await stage.source.stored_points(KEY, SECOND)
        await stage.report(SECOND, points("3", start=9))

        async with aclosing(stage.source.points(KEY, SECOND, stored.token)) as batches:
            values, _ = await take(batches, 1)

        assert values == ["3"]

    async def test_the_token_of_another_trial_is_refused(self, stage: Stage) -> None:
        await begin(stage)
        await stage.report(FIRST, points("5"))
        token = (await stage.source.stored_points(KEY, FIRST)).token

        with pytest.raises(UserError, match="Last-Event-ID"):
            async with aclosing(stage.source.points(KEY, SECOND, token)) as batches:
                await anext(batches)

    @pytest.mark.parametrize("name", ["random-ffff", "", "../x"])
    async def test_a_trial_that_does_not_exist_is_not_found(self, stage: Stage, name: str) -> None:
        await begin(stage)

        with pytest.raises(NotFound, match="there is no trial"):
            await stage.source.stored_points(KEY, name)
        with pytest.raises(NotFound, match="there is no trial"):
            await stage.source.log(KEY, name, "", 10)

    async def test_a_log_begins_with_its_last_part(self, stage: Stage) -> None:
        await begin(stage)
        await stage.print(FIRST, b"0123456789")

        piece = await stage.source.log(KEY, FIRST, "", 4)

        assert (piece.content, piece.is_tail, piece.more) == (b"6789", True, False)

    async def test_a_log_continues_behind_the_piece_before(self, stage: Stage) -> None:
        await begin(stage)
        await stage.print(FIRST, b"epoch 1\n")
        before = await stage.source.log(KEY, FIRST, "", 100)
        await stage.print(FIRST, b"epoch 2\nepoch 3\n")

        after = await stage.source.log(KEY, FIRST, before.place, 8)
        last = await stage.source.log(KEY, FIRST, after.place, 100)

        assert not before.is_tail
        assert (after.content, after.more) == (b"epoch 2\n", True)
        assert (last.content, last.more, last.is_tail) == (b"epoch 3\n", False, False)

    async def test_a_trial_that_has_printed_nothing_says_so(self, stage: Stage) -> None:
        await begin(stage)

        with pytest.raises(NotFound, match="has printed nothing yet"):
            await stage.source.log(KEY, SECOND, "", 10)
