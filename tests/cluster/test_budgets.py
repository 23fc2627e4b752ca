"""The budget of an experiment on a cluster: raised after its end, lowered on the way, not used up."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cluster.client import Cluster, Object, RefusedError, until
from tests.cluster.experiments import Experiment, X, begun, searched, true_conditions, value_of

LONG = "6{}0000"
"""A parameter that is a training of a minute and more, in milliseconds."""


def ended_by_count(experiment: Experiment) -> Object:
    ended = experiment.end()
    (reason,) = (
        one["reason"] for one in ended["status"]["conditions"] if one["type"] == "Succeeded"
    )
    assert reason == "ExperimentMaxTrialsReached"
    return ended


@pytest.mark.parametrize("policy", ["LongRunning", "FromVolume"])
def test_an_experiment_that_had_all_its_trials_goes_on_when_it_may_have_more(
    cluster: Cluster, namespace: str, policy: str
) -> None:
    words = ("print", f"loss={X}")
    budget = {"maxTrialCount": 2, "resumePolicy": policy}
    experiment = begun(
        cluster, namespace, searched("resumed", ["0.5", "0.4", "0.3"], *words, **budget)
    )
    first = ended_by_count(experiment)
    before = {trial["metadata"]["uid"] for trial in experiment.trials()}

    experiment.change(maxTrialCount=3)
    experiment.when("its third trial", lambda found: found["status"]["trials"] == 3)
    ended = ended_by_count(experiment)

    trials = experiment.trials()
    assert first["status"]["trialsSucceeded"] == 2
    assert ended["status"]["trialsSucceeded"] == 3
    assert before < {trial["metadata"]["uid"] for trial in trials}
    # The search knew what it had given before.
    assert {value_of(trial) for trial in trials} == {"0.5", "0.4", "0.3"}
    assert ended["status"]["currentOptimalTrial"]["parameterAssignments"] == [
        {"name": "x", "value": "0.3"}
    ]
    assert "Restarting" in true_conditions(ended)


def test_an_experiment_that_never_resumes_says_so_when_its_budget_is_raised(
    cluster: Cluster, namespace: str
) -> None:
    document = searched("over", ["0.5", "0.4"], "print", f"loss={X}", maxTrialCount=1)
    experiment = begun(cluster, namespace, document)
    ended_by_count(experiment)

    with pytest.raises(RefusedError) as refused:
        experiment.change(maxTrialCount=2)

    assert refused.value.status == 422
    assert (
        "spec.resumePolicy: Invalid value: Never: Experiment can be restarted if it is in succeeded"
        " state by reaching max trials and spec.resumePolicy = LongRunning or spec.resumePolicy ="
        " FromVolume, when experiment is completed"
    ) in refused.value.message.replace('"', "")
    assert len(experiment.trials()) == 1


def test_a_lowered_parallel_count_removes_the_newest_of_those_that_run(
    cluster: Cluster, namespace: str
) -> None:
    # Whichever four of them are first: in the end the two short ones are over, and three run.
    values = ["1", "2", *(LONG.format(number) for number in range(3))]
    document = searched("lowered", values, "print", f"loss={X}", "sleep", X, parallelTrialCount=4)
    experiment = begun(cluster, namespace, document)
    experiment.when("three that run and two that ended", counted(running=3, succeeded=2))
    before = experiment.trials()

    experiment.change(parallelTrialCount=1)
    until("two to be removed", lambda: len(experiment.trials()) == 3)
    experiment.when("the count of what is left", counted(running=1, succeeded=2))

    over = [one for one in before if not value_of(one).startswith("6")]
    running = [one for one in before if value_of(one).startswith("6")]
    left = {one["metadata"]["name"] for one in (*over, running[0])}
    assert {one["metadata"]["name"] for one in experiment.trials()} == left
    assert_only_this_trains(experiment, running[0])


def counted(*, running: int, succeeded: int) -> Callable[[Object], bool]:
    def state(found: Object) -> bool:
        status = found.get("status", {})
        return (status.get("trialsRunning"), status.get("trialsSucceeded")) == (running, succeeded)

    return state


def assert_only_this_trains(experiment: Experiment, trial: Object) -> None:
    """Nothing but one job is left, and its pod."""
    name = trial["metadata"]["name"]

    def alone() -> bool:
        left = experiment.left()
        pods = [pod.rpartition("-")[0] for pod in left.get("pods", [])]
        return left.get("jobs") == pods == [name]

    until("the others' pods to go", alone, tell=lambda: str(experiment.left()))


def test_when_the_goal_is_reached_the_trials_that_run_are_ended(
    cluster: Cluster, namespace: str
) -> None:
    values = ["1", LONG.format(1), LONG.format(2)]
    objective = {"type": "minimize", "goal": 1, "objectiveMetricName": "loss"}
    words = ("print", f"loss={X}", "sleep", X, "sleep", "2000")
    experiment = begun(cluster, namespace, searched("goal", values, *words, objective=objective))

    ended = experiment.end()
    until("no job and no pod", lambda: not {"jobs", "pods"} & {*experiment.left()})
    final = experiment.when(
        "the last count", lambda found: found["status"].get("trialsKilled") == 2
    )

    reasons = [one["reason"] for one in ended["status"]["conditions"]]
    assert reasons[-1] == "ExperimentGoalReached"
    trials = experiment.trials()
    assert {value_of(trial): true_conditions(trial) - {"Created"} for trial in trials} == {
        "1": {"Succeeded"},
        values[1]: {"Killed"},
        values[2]: {"Killed"},
    }
    best = final["status"]["currentOptimalTrial"]
    assert best["parameterAssignments"] == [{"name": "x", "value": "1"}]
    assert final["status"]["trials"] == 3
