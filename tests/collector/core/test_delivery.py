"""Reports to a store that is away, refuses them, answers unclearly, or is Katib's."""

from __future__ import annotations

import json

import pytest

from collector.core.session import Session
from tests.collector.pod_in_memory import Pod


def test_while_the_store_is_away_waits_grow_and_the_log_says_so_once() -> None:
    pod = Pod()
    pod.store.away = "connection refused"
    session = pod.collector()
    pod.begin()
    pod.print("loss=1\n")
    waits = []
    for _ in range(60):
        waits.append(session.step().most)
        pod.clock.pass_by(waits[-1])
    assert max(waits) > 5.0
    assert all(wait <= 10.0 for wait in waits)
    assert pod.log_text.count("connection refused") <= 1 + sum(waits) // 60
    pod.store.away = None
    pod.clock.pass_by(10.0)
    pod.run(session)
    assert pod.values() == ["1"]
    assert "takes reports again" in pod.log_text


def test_a_report_that_the_store_refuses_is_logged_and_the_next_ones_are_sent() -> None:
    pod = Pod()
    session = pod.collector()
    pod.begin()
    pod.store.refuses = 'metric "loss" is banned'
    pod.print("loss=1\n")
    pod.run(session)
    pod.store.refuses = None
    pod.print("loss=2\n")
    pod.end()
    pod.run(session)
    assert pod.values() == ["2"]
    assert 'the store refused report 1: metric "loss" is banned' in pod.log_text
    assert pod.heard[-1].startswith("1 gave up: the store refused report 1")


def _unclear_at_the_end(pod: Pod) -> Session:
    session = pod.collector()
    pod.begin()
    pod.print("loss=1\n")
    pod.end()
    pod.store.unclear = "UNKNOWN: sql: no rows"
    return session


def test_an_unclear_answer_after_the_trainers_end_is_final_after_twenty_tries() -> None:
    pod = Pod()
    session = _unclear_at_the_end(pod)
    begun = pod.clock.monotonic()
    pod.run_to_the_end(session)

    assert [*pod.store.tries.values()] == [20, 1], "the last report gets one try"
    assert 60.0 <= pod.clock.monotonic() - begun <= 150.0, "a database needs time to restart"
    assert pod.heard[-1] == (
        "1 gave up: the store refused report 2: UNKNOWN: sql: no rows (after 21 tries)"
    )
    assert not json.loads(session.summary())["delivered"]


def test_an_unclear_answer_that_changes_in_time_costs_nothing() -> None:
    pod = Pod()
    session = _unclear_at_the_end(pod)
    while pod.store.tries.total() < 19:
        pod.clock.pass_by(session.step().most)
    pod.store.unclear = None
    pod.run_to_the_end(session)

    assert pod.values() == ["1"]
    assert pod.heard[-1] == "1 delivered"


def test_while_the_trainer_runs_an_unclear_answer_is_never_final() -> None:
    pod = Pod()
    session = pod.collector()
    pod.begin()
    pod.print("loss=1\n")
    pod.store.unclear = "UNKNOWN: dial tcp: connection refused"
    while pod.clock.monotonic() < 3600.0:
        pod.clock.pass_by(session.step().most)
    pod.store.unclear = None
    pod.print("loss=2\n")
    pod.end()
    pod.run_to_the_end(session)

    assert pod.values() == ["1", "2"]
    assert pod.heard[-1] == "1 delivered"


def test_while_a_later_attempt_runs_an_unclear_answer_is_not_final() -> None:
    pod = Pod()
    session = _unclear_at_the_end(pod)
    session.step()
    pod.begin(2)
    while pod.clock.monotonic() < 3600.0:
        pod.clock.pass_by(session.step().most)
    assert pod.heard == ["1 following"]
    pod.end(2)
    pod.run_to_the_end(session)

    assert pod.heard[-1].startswith("1 gave up")


def test_each_attempt_begins_with_its_own_tries() -> None:
    pod = Pod()
    session = _unclear_at_the_end(pod)
    pod.run_to_the_end(session)
    pod.begin(2)
    pod.print("loss=2\n", 2)
    pod.end(2)
    pod.store.tries.clear()
    pod.run_to_the_end(session)

    assert [*pod.store.tries.values()] == [20, 1]


def test_katibs_store_gets_no_report_without_points() -> None:
    pod = Pod()
    pod.store.is_katibs = True
    session = pod.collector()
    pod.begin()
    pod.print("loss=1\n")
    pod.end()
    pod.run(session)

    assert pod.values() == ["1"]
    assert [len(batch.points) for batch in pod.store.batches.values()] == [1]
    assert pod.heard[-1] == "1 delivered"
    assert "the outcome succeeded is not sent" in pod.log_text
    assert json.loads(session.summary())["delivered"]


def test_katibs_store_gets_the_value_unavailable() -> None:
    pod = Pod()
    pod.store.is_katibs = True
    session = pod.collector()
    pod.begin()
    pod.end()
    pod.run(session)

    assert pod.values() == ["unavailable"]
    assert pod.heard[-1] == "1 delivered"


def test_the_store_that_answers_at_the_end_decides_whether_it_gets_the_outcome() -> None:
    pod = Pod()
    pod.store.is_katibs = True
    session = pod.collector()
    pod.begin()
    pod.print("loss=1\n")
    pod.run(session)
    pod.store.away = "it is replaced"
    pod.end(status=1)
    for _ in range(4):
        pod.clock.pass_by(session.step().most)
    pod.store.away, pod.store.is_katibs = None, False
    pod.run_to_the_end(session)

    assert pod.outcome() == "failed"


@pytest.mark.parametrize("fault", ["away", "unclear"])
@pytest.mark.parametrize("over", [True, False])
def test_told_to_end_it_ends_within_the_grace_period_whatever_the_store_answers(
    fault: str, *, over: bool
) -> None:
    pod = Pod()
    session = pod.collector()
    pod.begin()
    pod.print("loss=1\n")
    if over:
        pod.end()
    setattr(pod.store, fault, "it does not work")
    for _ in range(8):
        pod.clock.pass_by(session.step().most)
    hurried_at = pod.clock.monotonic()
    session.hurry(until=hurried_at + 6.0)
    pause = pod.run_to_the_end(session)

    assert pause.done == 2
    assert pod.clock.monotonic() - hurried_at <= 6.0 + 1e-4
    summary = json.loads(session.summary())
    assert not summary["delivered"]
    assert summary["why"] == "it does not work"
    assert summary["metrics"]["loss"]["last"] == "1"
