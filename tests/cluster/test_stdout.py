"""A trainer that prints its metrics: they are in the database as it printed them."""

from __future__ import annotations

from tests.cluster.trials import Trials, counted, exit_code, job


def test_what_a_trainer_prints_is_in_the_database_and_in_both_logs(trials: Trials) -> None:
    name = trials.start(job("seen", "count", "20", "50", "err", "done"))

    assert trials.end(name) == "Complete"
    pod = trials.pod(name)
    printed = "".join(f"step={i} loss={1.0 / i:.6f}\n" for i in range(1, 21))
    assert trials.rows(name) == counted(20)
    assert sorted(trials.log(pod).splitlines()) == sorted(f"{printed}done".splitlines())
    echoed = [line for line in trials.collectors_log(pod).splitlines() if line[:1] != "{"]
    assert sorted(echoed) == sorted(f"{printed}done".splitlines())


def test_a_trainer_that_fails_keeps_its_status_and_its_metrics(trials: Trials) -> None:
    name = trials.start(job("fails", "count", "3", "1", "exit", "7"))

    assert trials.end(name) == "Failed"
    assert exit_code(trials.pod(name)) == 7
    assert trials.rows(name) == counted(3)


def test_a_trainer_that_runs_for_a_moment_loses_nothing(trials: Trials) -> None:
    name = trials.start(job("short", "print", "loss=0.125"))

    assert trials.end(name) == "Complete"
    assert trials.rows(name) == [("loss", "0.125")]


def test_a_trainer_killed_by_a_signal_ends_with_its_number(trials: Trials) -> None:
    name = trials.start(job("killed", "count", "3", "1", "kill", "9"))

    assert trials.end(name) == "Failed"
    assert exit_code(trials.pod(name)) == 128 + 9
    assert trials.rows(name) == counted(3)
