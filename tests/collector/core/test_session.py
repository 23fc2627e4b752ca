"""A collector's session, from the trainer's start to its end."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from api.errors import RemoteError, SetupError, Unavailable
from api.names import TERMINATION_LOG_BYTES
from api.reductions import PodReduction, Reduction, reduction_of_source
from api.timestamps import to_micros
from api.types import Comparison, ObjectiveType, StopRule
from collector.core.stop_rules import StopRules
from collector.core.summary import summary_of
from filters.fold import Folded
from tests.collector.pod_in_memory import LOG, RUN, Pod

RULE = StopRules(
    rules=[StopRule(name="loss", value="0.5", comparison=Comparison.LESS, start_step=2)],
    objective="loss",
    objective_type=ObjectiveType.MINIMIZE,
)


class Service:
    """An early-stopping service that gives these answers, one for each call."""

    def __init__(self, *answers: Exception | None) -> None:
        self.answers = list(answers)
        self.calls = 0

    def stopped(self) -> None:
        self.calls += 1
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer


class Proxy:
    """A network proxy that gives these answers, one for each call."""

    def __init__(self, *answers: Exception | None) -> None:
        self.answers = list(answers)
        self.calls = 0

    def quit(self) -> None:
        self.calls += 1
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer


def test_the_pods_proxy_ends_after_all_is_delivered_and_is_asked_again_without_an_answer() -> None:
    pod, proxy = Pod(), Proxy(Unavailable("Istio's proxy does not answer"))
    session = pod.collector(proxy=proxy)
    pod.begin()
    pod.print("loss=0.5\n")
    pod.run(session)
    assert proxy.calls == 0
    pod.end()
    for _ in range(3):
        pod.run(session)
    assert pod.heard == ["1 following", "1 delivered"]
    assert proxy.calls == 2


def test_the_pods_proxy_stays_if_the_training_failed_because_it_may_start_again() -> None:
    pod, proxy = Pod(), Proxy()
    session = pod.collector(proxy=proxy)
    pod.begin()
    pod.end(status=1)
    pod.run(session)
    assert proxy.calls == 0
    pod.begin(2)
    pod.end(2)
    pod.run(session)
    assert proxy.calls == 1


def test_the_source_says_how_the_pods_of_its_job_are_reduced_and_which_pod_it_is() -> None:
    pod, reduction = Pod(), PodReduction(reduction=Reduction.MEAN, pod="worker-1")
    pod.begin()
    pod.print("loss=1\n")
    pod.run(pod.collector(reduce=reduction, source_prefix="pod:uid:"))
    [(source, _)] = pod.store.batches
    assert source.startswith("pod:uid:reduce:mean:worker-1:")
    assert reduction_of_source(source) == reduction


def test_before_any_training_it_waits_and_sends_nothing() -> None:
    pod = Pod()
    assert pod.run(pod.collector()).most == 2.0
    assert not pod.heard
    assert not pod.store.batches


def test_it_sends_that_it_follows_and_then_that_all_is_delivered() -> None:
    pod = Pod()
    session = pod.collector()
    pod.begin()
    pod.print("loss=0.5\n")
    pod.run(session)
    assert pod.heard == ["1 following"]
    assert pod.values() == ["0.5"]
    pod.print("loss=0.25\n")
    pod.end()
    pod.run(session)
    assert pod.heard == ["1 following", "1 delivered"]
    assert pod.values() == ["0.5", "0.25"]
    assert pod.outcome() == "succeeded"


def test_a_line_without_an_end_counts_once_the_trainer_has_ended() -> None:
    pod = Pod()
    session = pod.collector()
    pod.begin()
    pod.print("loss=0.5")
    pod.run(session)
    assert pod.values() == []
    pod.end()
    pod.run(session)
    assert pod.values() == ["0.5"]


def test_both_streams_are_read() -> None:
    pod = Pod()
    pod.begin()
    pod.print("loss=1\n")
    pod.print("loss=2\n", stream="err")
    pod.end()
    pod.run(pod.collector())
    assert sorted(pod.values()) == ["1", "2"]


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        ({"status": 0}, "succeeded"),
        ({"status": 3}, "failed"),
        ({"status": None, "signal": 9}, "failed"),
        ({"status": 0, "stopped": True}, "stopped"),
        ({"status": 143, "stopped": True}, "stopped"),
    ],
)
def test_the_last_report_has_the_outcome_of_the_attempt(
    facts: dict[str, Any], outcome: str
) -> None:
    pod = Pod()
    pod.begin()
    pod.print("loss=1\n")
    pod.end(1, **facts)
    pod.run(pod.collector())
    assert pod.outcome() == outcome


@pytest.mark.parametrize("text", ["", "no metric here\n", "loss=nan\n", "loss=inf\n"])
def test_an_objective_without_a_finite_value_is_reported_as_unavailable(text: str) -> None:
    pod = Pod()
    pod.begin()
    pod.print(text)
    pod.end()
    pod.run(pod.collector())
    assert pod.values()[-1] == "unavailable"


def test_a_killed_launcher_ends_the_attempt_as_failed() -> None:
    pod = Pod()
    session = pod.collector()
    pod.begin()
    pod.print("loss=1\nloss=2")
    pod.run(session)
    pod.deaf.add(1)
    pod.run(session)
    assert pod.values() == ["1", "2"]
    assert pod.outcome() == "failed"
    assert "the launcher was killed" in pod.log_text


def test_each_attempt_is_a_source_of_its_own() -> None:
    pod = Pod()
    session = pod.collector()
    for attempt, status in ((1, 1), (2, 1), (3, 0)):
        pod.begin(attempt)
        pod.print(f"loss={attempt}\n", attempt)
        pod.end(attempt, status)
        pod.run(session)
    assert [pod.values(attempt) for attempt in (1, 2, 3)] == [["1"], ["2"], ["3"]]
    assert [pod.outcome(attempt) for attempt in (1, 2, 3)] == ["failed", "failed", "succeeded"]


def test_attempts_that_came_and_went_while_the_store_was_away_are_all_stored() -> None:
    pod = Pod()
    pod.store.away = "connection refused"
    session = pod.collector(path=LOG)
    for attempt in (1, 2, 3):
        pod.begin(attempt)
        pod.log(f"loss={attempt}\n")
        pod.end(attempt, 1)
        for _ in range(3):
            session.step()
            pod.clock.pass_by(1.0)
    pod.store.away = None
    for _ in range(10):
        pod.run(session)
        pod.clock.pass_by(10.0)
    assert [pod.values(attempt) for attempt in (1, 2, 3)] == [["1"], ["2"], ["3"]]


def test_a_checkpoint_of_another_source_is_refused() -> None:
    pod = Pod()
    pod.begin()
    pod.run(pod.collector())
    with pytest.raises(SetupError, match=f"checkpoint is for 'out', 'err', not for '{LOG}'"):
        pod.collector(path=LOG).step()


def test_delivered_segments_are_removed_from_the_disk() -> None:
    pod = Pod()
    pod.begin()
    pod.print("loss=1\n")
    pod.end()
    pod.run(pod.collector())
    assert sorted(pod.files.names(pod.directory(1))) == ["attempt", "exit"]


def test_after_the_delivery_a_native_sidecar_stays_until_it_gets_sigterm() -> None:
    pod = Pod()
    session = pod.collector(native=True)
    pod.begin()
    pod.end()
    assert pod.run(session).done is None
    session.hurry(until=math.inf)
    assert session.step().done == 0


@pytest.mark.parametrize(("status", "done"), [(0, 0), (1, 2)])
def test_an_ordinary_container_ends_as_the_trainer_did(status: int, done: int) -> None:
    pod = Pod()
    session = pod.collector(native=False)
    pod.begin()
    pod.end(status=status)
    assert pod.run(session).done == done
    assert pod.collector(native=False).step().done == done


def test_after_sigterm_it_delivers_before_it_ends() -> None:
    pod = Pod()
    session = pod.collector()
    pod.begin()
    pod.print("loss=1\n")
    session.hurry(until=math.inf)
    assert pod.run(session).done is None
    pod.print("loss=2\n")
    pod.end()
    assert pod.run(session).done == 0
    assert pod.values() == ["1", "2"]


def test_when_all_rules_are_met_the_trainer_is_stopped_and_the_stop_reported_once() -> None:
    pod = Pod()
    service = Service(Unavailable("not yet"), None)
    session = pod.collector(rules=RULE, early_stopping=service)
    pod.begin()
    pod.print("loss=0.4\n")
    pod.run(session)
    assert "1 stop" not in pod.heard
    pod.print("loss=0.3\nloss=0.2\n")
    pod.run(session)
    assert pod.heard == ["1 following", "1 stop"]
    pod.print("loss=0.1\n")
    pod.end(status=143, stopped=True)
    pod.run(session)
    assert pod.heard == ["1 following", "1 stop", "1 delivered"]
    assert pod.values() == ["0.4", "0.3", "0.2", "0.1"]
    assert service.calls == 2


def test_a_service_that_never_answers_is_given_up_after_half_a_minute() -> None:
    pod = Pod()
    service = Service(*[Unavailable("no route to host")] * 1000)
    session = pod.collector(rules=RULE, early_stopping=service)
    pod.begin()
    pod.print("loss=0.4\nloss=0.3\n")
    pod.end(stopped=True)
    begun = pod.clock.monotonic()
    pod.run(session, steps=1000)
    assert pod.heard[-1] == "1 delivered"
    assert 30.0 <= pod.clock.monotonic() - begun < 32.0
    assert "no route to host" in pod.log_text


def test_a_stop_is_reported_once_to_a_service_that_refuses_it() -> None:
    pod = Pod()
    service = Service(RemoteError("no such trial"))
    session = pod.collector(rules=RULE, early_stopping=service)
    pod.begin()
    pod.print("loss=0.4\nloss=0.3\n")
    pod.end(stopped=True)
    pod.run(session)
    assert service.calls == 1
    assert "no such trial" in pod.log_text


def test_a_stop_that_was_due_before_a_crash_is_requested_after_it() -> None:
    pod = Pod()
    pod.begin()
    pod.print("loss=0.4\nloss=0.3\n")
    pod.run(pod.collector(rules=RULE))
    pod.heard.clear()
    pod.run(pod.collector(rules=RULE))
    assert pod.heard == ["1 following", "1 stop"]


def test_segments_that_the_launcher_could_not_write_are_logged() -> None:
    pod = Pod()
    pod.begin()
    pod.print("loss=1\n")
    pod.end(complete=False, cause="No space left on device")
    pod.run(pod.collector())
    assert "attempt 1: No space left on device" in pod.log_text


def test_a_checkpoint_from_before_steps_is_continued_and_its_batch_sent_as_it_was() -> None:
    pod = Pod()
    pod.begin()
    pod.print("step 7 loss=1\nstep 8 loss=2\n")
    pod.store.away = "connection refused"
    pod.run(pod.collector(steps=False))
    checkpoint = f"{RUN}/checkpoint"
    saved = json.loads(pod.files.read(checkpoint) or b"")
    without_steps(saved)
    pod.files.replace(checkpoint, json.dumps(saved).encode())
    pod.store.away = None
    pod.print("step 9 loss=3\n")
    pod.run(pod.collector())
    points = [point for batch in pod.store.batches.values() for point in batch.points]
    assert [(point.value, point.step) for point in points] == [("1", None), ("2", None), ("3", 9)]


def without_steps(document: object) -> None:
    """Remove what an earlier version did not write."""
    if isinstance(document, dict):
        document.pop("step_state", None)
        for value in document.values():
            without_steps(value)


def test_points_have_the_steps_of_their_log_also_after_a_crash() -> None:
    pod = Pod()
    pod.begin()
    pod.print("Epoch 3/10\nloss=1\n")
    pod.run(pod.collector())
    pod.print("loss=2\nEpoch 4/10\nloss=3\n")
    pod.run(pod.collector())
    points = [point for batch in pod.store.batches.values() for point in batch.points]
    assert [point.step for point in points] == [3, 3, 4]


def test_a_damaged_checkpoint_is_refused_with_the_remedy() -> None:
    pod = Pod()
    pod.files.replace(f"{RUN}/checkpoint", b"{}")
    with pytest.raises(SetupError, match="remove the file `checkpoint`"):
        pod.collector()


def test_points_without_a_time_stamp_get_increasing_ones() -> None:
    pod = Pod()
    pod.begin()
    pod.print("loss=1\nloss=2\n2026-01-01T00:00:00Z loss=3\nloss=4\n")
    pod.run(pod.collector())
    [batch] = pod.store.batches.values()
    stamps = [point.timestamp or "" for point in batch.points]
    assert stamps[2] == "2026-01-01T00:00:00Z"
    assert to_micros(stamps[0]) < to_micros(stamps[1]) < to_micros(stamps[3])


def test_the_summary_has_what_was_delivered() -> None:
    pod = Pod()
    session = pod.collector()
    pod.begin()
    pod.print("loss=3\nloss=1\nloss=2\n")
    pod.end()
    pod.run(session)
    summary = json.loads(session.summary())
    assert summary["delivered"]
    assert summary["outcome"] == "succeeded"
    assert summary["metrics"]["loss"] == {
        "count": 3,
        "first": "3",
        "last": "2",
        "min": "1",
        "max": "3",
    }


def test_the_summary_also_has_what_the_store_never_accepted() -> None:
    pod = Pod()
    pod.store.away = "connection refused"
    session = pod.collector()
    pod.begin()
    pod.print("loss=3\n")
    session.step()
    session.step()
    pod.print("loss=1\n")
    pod.end()
    session.step()
    summary = json.loads(session.summary())
    assert not summary["delivered"]
    assert summary["why"] == "connection refused"
    assert summary["metrics"]["loss"]["count"] == 2
    assert summary["metrics"]["loss"]["last"] == "1"


def test_if_the_objective_was_never_found_the_summary_has_similar_lines() -> None:
    pod = Pod()
    session = pod.collector()
    pod.begin()
    pod.print("acc=1\nLoss: 3, step=7\nlosses were made\n")
    pod.end()
    pod.run(session)

    summary = json.loads(session.summary())

    assert summary["nearest"][0].startswith("Loss: 3, step=7 (it is written 'Loss' here")
    assert summary["metrics"] == {}


def test_if_the_objective_was_found_at_last_the_summary_has_no_similar_lines() -> None:
    pod = Pod()
    session = pod.collector()
    pod.begin()
    pod.print("Loss: 3\n")
    session.step()
    pod.print("loss=1\n")
    pod.end()
    pod.run(session)

    assert "nearest" not in json.loads(session.summary())


@pytest.mark.parametrize("lines", ["", "epoch 1\n"])
def test_the_summary_names_a_metrics_file_that_was_never_created(lines: str) -> None:
    pod = Pod()
    session = pod.collector(path=LOG)
    pod.begin()
    if lines:
        pod.log(lines)
    pod.end()
    pod.run(session)

    summary = json.loads(session.summary())
    assert summary.get("missing_file") == (None if lines else LOG)


def test_each_attempt_has_its_own_nearest_lines() -> None:
    pod = Pod()
    session = pod.collector()
    pod.begin()
    pod.print("Loss: 3\n")
    pod.end()
    pod.run(session)
    pod.begin(2)
    pod.print("LOSS: 4\n", 2)
    pod.end(2)
    pod.run(session)

    [line] = json.loads(session.summary())["nearest"]
    assert line.startswith("LOSS: 4")


@pytest.mark.parametrize("metrics", [1, 40])
def test_metrics_come_before_lines_and_the_summary_fits(metrics: int) -> None:
    names = [f"metric-{number}-{'x' * 20}" for number in range(metrics)]
    folds = {name: Folded(count=1, first="1", last="1") for name in names}
    lines = ["\u00e9" * 400] * 30

    text = summary_of({"delivered": True}, folds, names, lines)

    summary = json.loads(text)
    assert len(text) <= TERMINATION_LOG_BYTES
    assert list(summary["metrics"]) == names[: len(summary["metrics"])]
    assert ("nearest" in summary) == (metrics == 1)
    assert all(len(line) == 256 for line in summary.get("nearest", ()))
