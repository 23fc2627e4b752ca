"""What a store guarantees of the metrics of a job of several pods."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from api.names import UNAVAILABLE
from dbmanager.store.contract import AttemptOutcome, NewRow, Store, Summary
from tests.contracts.store.calls import KEY, NOW, sent, values

DONE = AttemptOutcome.SUCCEEDED
Points = list[tuple[str, int | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPod:
    """A pod of a job, and how the pods are reduced."""

    how: str
    pod: str = "0"
    outcome: AttemptOutcome | None = DONE
    start: int = NOW
    """The time of its first point, in microseconds since 1970."""

    async def report(self, store: Store, points: Points) -> None:
        """Report pairs of a value and a step."""
        rows = [
            NewRow(self.start + n, "loss", value, step) for n, (value, step) in enumerate(points)
        ]
        source = f"pod:uid-{self.pod}:reduce:{self.how}:{self.pod}:1f-{len(points)}"
        await store.report(KEY, rows, sent(1, source, self.outcome))


def shown(summary: Summary) -> tuple[str, str, str | None, str | None]:
    return summary.first, summary.last, summary.minimum, summary.maximum


class ReductionContract:
    """Jobs of several pods whose metrics become one series."""

    @pytest.mark.parametrize(
        ("how", "expected"),
        [
            ("mean", ("2.0", "1.5", "0.75", "2.0")),
            ("min", ("1.0", "1.0", "0.5", "1.0")),
            ("max", ("3.0", "2.0", "1.0", "3.0")),
        ],
    )
    async def test_the_points_of_pods_are_reduced_step_by_step(
        self, store: Store, how: str, expected: tuple[str, ...]
    ) -> None:
        await JobPod(how=how, pod="0").report(store, [("1", 10), ("0.5", 20), ("1", 30)])
        # Another pace, a repeated step, and a step that the other pod has not reached.
        ahead: Points = [("7", 10), ("3", 10), ("1", 20), ("2", 30), ("9", 40)]
        await JobPod(how=how, pod="1", start=NOW + 1_000).report(store, ahead)
        [summary] = await store.summary(KEY)
        assert shown(summary) == expected
        assert (summary.count, summary.first_step, summary.last_step) == (3, 10, 30)
        assert summary.first_micros == NOW + 1_001
        assert len(await values(store)) == 8

    async def test_without_steps_the_nth_points_of_the_pods_are_reduced(self, store: Store) -> None:
        await JobPod(how="mean", pod="0").report(store, [("1", None), ("2", None), ("4", None)])
        await JobPod(how="mean", pod="1").report(store, [("3", None), ("4", 9), ("8", 10)])
        [summary] = await store.summary(KEY)
        assert shown(summary) == ("2.0", "6.0", "2.0", "6.0")
        assert (summary.count, summary.first_step, summary.minimum_step) == (3, None, None)

    async def test_with_rank0_only_the_pod_of_rank_0_counts(self, store: Store) -> None:
        await JobPod(how="rank0", pod="1").report(store, [("0.1", 1)])
        assert await store.summary(KEY) == []
        await JobPod(how="rank0", pod="0", outcome=None).report(store, [("0.5", 1), ("0.4", 2)])
        [summary] = await store.summary(KEY)
        assert (summary.first, summary.last) == ("0.5", "0.4")
        assert await values(store) == ["0.5", "0.4"]

    async def test_a_pod_that_runs_counts_beside_one_that_has_ended(self, store: Store) -> None:
        await JobPod(how="mean", pod="0").report(store, [("1", 1), ("2", 2)])
        await JobPod(how="mean", pod="1", outcome=None).report(store, [("3", 1)])
        [summary] = await store.summary(KEY)
        assert shown(summary) == ("2.0", "2.0", "2.0", "2.0")

    async def test_a_pods_failed_attempt_does_not_count_beside_its_next_one(
        self, store: Store
    ) -> None:
        await JobPod(how="max", pod="0").report(store, [("1", 1)])
        await JobPod(how="max", pod="1", outcome=AttemptOutcome.FAILED).report(
            store, [("9", 1), ("9", 2)]
        )
        await JobPod(how="max", pod="1").report(store, [("2", 1)])
        [summary] = await store.summary(KEY)
        assert shown(summary) == ("2.0", "2.0", "2.0", "2.0")

    async def test_a_pod_that_fails_early_takes_no_later_step_from_the_others(
        self, store: Store
    ) -> None:
        for pod, points in (("0", 4), ("1", 3), ("2", 1)):
            rows: Points = [(str(int(pod) + step), step) for step in range(points)]
            await JobPod(how="mean", pod=pod, outcome=None).report(store, rows)
        [summary] = await store.summary(KEY)
        assert shown(summary) == ("1.0", "2.5", "1.0", "2.5")  # two of three pods have step 2
        assert (summary.count, summary.last_step) == (3, 2)

    async def test_each_metric_has_its_own_pods(self, store: Store) -> None:
        for pod in ("0", "1", "2"):
            rows = [NewRow(NOW, "loss", "1", 1)]
            if pod == "0":
                rows.append(NewRow(NOW, "accuracy", "0.5", 9))
            await store.report(KEY, rows, sent(1, f"pod:u{pod}:reduce:mean:{pod}:1f-1", DONE))
        accuracy, loss = await store.summary(KEY)
        assert (accuracy.count, accuracy.last_step, loss.last) == (1, 9, "1.0")

    async def test_without_a_step_of_more_than_half_of_the_pods_those_of_the_most_count(
        self, store: Store
    ) -> None:
        steps = {"0": (1, 2), "1": (2,), "2": (3,), "3": (4,)}
        for pod, mine in steps.items():
            await JobPod(how="max", pod=pod).report(store, [(pod, step) for step in mine])
        [summary] = await store.summary(KEY)
        assert (summary.count, summary.last, summary.last_step) == (1, "1.0", 2)

    async def test_a_pod_that_only_fails_does_not_count_beside_one_that_succeeds(
        self, store: Store
    ) -> None:
        await JobPod(how="max", pod="1", outcome=AttemptOutcome.FAILED).report(store, [("9", 1)])
        [alone] = await store.summary(KEY)
        await JobPod(how="max", pod="0").report(store, [("1", 1)])
        [summary] = await store.summary(KEY)
        assert (alone.last, summary.last) == ("9.0", "1.0")
        assert await values(store) == ["1"]

    async def test_without_a_name_in_the_job_each_source_is_a_pod(self, store: Store) -> None:
        for number, value in enumerate(("1", "2", "6")):
            delivery = sent(1, f"reduce:mean::{number}-1", DONE)
            await store.report(KEY, [NewRow(NOW, "loss", value, 5)], delivery)
        [summary] = await store.summary(KEY)
        assert (summary.last, summary.last_step) == ("3.0", 5)

    async def test_a_value_that_is_not_a_number_is_left_out_of_a_mean(self, store: Store) -> None:
        await JobPod(how="mean", pod="0").report(store, [("1", 1), ("nan", 2)])
        await JobPod(how="mean", pod="1").report(store, [("nan", 1), ("nan", 2)])
        [summary] = await store.summary(KEY)
        assert shown(summary) == ("1.0", "nan", "1.0", "1.0")
        assert (summary.minimum_step, summary.maximum_step) == (1, 1)

    async def test_a_pod_without_the_metric_does_not_count(self, store: Store) -> None:
        await JobPod(how="mean", pod="0").report(store, [("1", 1), ("2", 2)])
        await JobPod(how="mean", pod="1", start=0).report(store, [(UNAVAILABLE, None)])
        [summary] = await store.summary(KEY, ["loss"])
        assert shown(summary) == ("1.0", "2.0", "1.0", "2.0")
        await JobPod(how="mean", pod="0").report(store, [(UNAVAILABLE, None), (UNAVAILABLE, None)])

    async def test_a_metric_that_no_pod_has_is_unavailable(self, store: Store) -> None:
        for pod in ("0", "1"):
            await JobPod(how="mean", pod=pod).report(store, [(UNAVAILABLE, None)])
        for metrics in ([], ["loss"]):
            [summary] = await store.summary(KEY, metrics)
            assert shown(summary) == (UNAVAILABLE, UNAVAILABLE, None, None)
