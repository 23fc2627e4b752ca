"""Rules of early stopping judge the running trials of a run, and end their processes."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.runner.experiment_runs import Machine, experiment

ENDS_IN = 600
"""Seconds that a training sleeps which nothing stops."""


def training(script: str) -> list[str]:
    """Return a command that counts its starts in n; the bad ones sleep after their values."""
    return [
        "sh",
        "-c",
        f"n=$(mkdir -p seen; ls seen | wc -l); touch seen/$n; {script} : ${{trialParameters.lr}}",
    ]


def stop(name: str, **settings: object) -> dict[str, Any]:
    return {
        "algorithmName": name,
        "algorithmSettings": [{"name": n, "value": str(v)} for n, v in settings.items()],
    }


def stopped(machine: Machine) -> list[dict[str, Any]]:
    return [
        trial["status"]
        for trial in machine.trials().values()
        if trial["status"]["conditions"][-1]["type"] == "EarlyStopped"
    ]


def test_asha_ends_the_processes_of_a_bad_trial_and_says_why(machine: Machine) -> None:
    script = (
        "for i in 1 2 3 4; do echo epoch=$i loss=$n.$i; done;"
        f" [ $n = 0 ] || {{ (sleep {ENDS_IN}; echo left) & sleep {ENDS_IN}; }};"
    )
    status, done = machine.run(
        experiment(
            command=training(script),
            earlyStopping=stop("asha", reduction_factor=2, resource="points"),
            parallelTrialCount=1,
            maxTrialCount=3,
        )
    )

    assert status == 0
    assert (done["status"]["trialsSucceeded"], done["status"]["trialsEarlyStopped"]) == (1, 2)
    for one in stopped(machine):
        last = one["conditions"][-1]
        assert re.fullmatch(
            r"Trial is early stopped: asha: \d of \d trials had a better loss until [124] values?;"
            r" the best [12] go on",
            last["message"],
        )
        assert last["reason"] == "TrialStoppedByRule"
        assert one["completionTime"]
        [metric] = one["observation"]["metrics"]
        assert (metric["name"], metric["latest"][2:]) == ("loss", "4")
    best = done["status"]["currentOptimalTrial"]["observation"]["metrics"][0]
    assert best["min"] == "0.1"


def test_a_rule_gives_the_training_its_grace_and_keeps_what_it_prints_then(
    machine: Machine,
) -> None:
    script = (
        "trap 'echo loss=8.5; exit 0' TERM; echo loss=1; echo loss=9;"
        f" i=0; while [ $i -lt {ENDS_IN * 10} ]; do sleep 0.1; i=$((i+1)); done;"
    )
    status, _ = machine.run(
        experiment(
            command=training(script),
            earlyStopping=stop("threshold", upper=5),
            maxTrialCount=1,
            parallelTrialCount=1,
        )
    )

    [one] = stopped(machine)
    assert status == 0
    assert one["observation"]["metrics"] == [
        {"name": "loss", "min": "1", "max": "9", "latest": "8.5"}
    ]


def test_a_training_that_pushes_its_metrics_is_stopped_too(machine: Machine) -> None:
    script = (
        'for i in 1 2 3 4; do echo loss=7 >> "$TRIALWATCH_METRICS_FILE"; sleep 0.1; done;'
        f" sleep {ENDS_IN};"
    )
    document = experiment(
        command=training(script),
        earlyStopping=stop("patience", n=2, resource="points"),
        metricsCollectorSpec={"collector": {"kind": "Push"}},
        maxTrialCount=1,
        parallelTrialCount=1,
    )
    pod = document["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]
    pod["metadata"] = {"annotations": {"trialwatch.dev/push": "true"}}

    status, done = machine.run(document)

    assert status == 0
    assert done["status"]["trialsEarlyStopped"] == 1


def test_medianstop_judges_a_trial_that_began_before_there_was_a_rule(machine: Machine) -> None:
    script = (
        f"if [ $n = 0 ]; then echo loss=9; sleep {ENDS_IN}; fi;"
        " for i in 1 2 3 4; do echo loss=0.$i; done;"
    )
    status, done = machine.run(
        experiment(
            command=training(script),
            earlyStopping=stop("medianstop", start_step=1, min_trials_required=2),
            maxTrialCount=3,
        )
    )

    [one] = stopped(machine)
    assert status == 0
    assert done["status"]["trialsSucceeded"] == 2
    assert (
        "worse than 0.1, the median of 2 trials that succeeded" in one["conditions"][-1]["message"]
    )


def test_get_shows_why_a_trial_was_stopped(machine: Machine) -> None:
    machine.run(
        experiment(
            command=training(f"echo loss=nan; sleep {ENDS_IN};"),
            earlyStopping=stop("threshold", upper=5),
            maxTrialCount=1,
            parallelTrialCount=1,
        )
    )

    _, out, _ = machine.call("get", "trials", "-o", "wide")

    assert "threshold: loss is not a finite number at step 1" in out


def test_wrong_settings_are_refused_before_anything_runs(machine: Machine) -> None:
    machine.write(experiment(earlyStopping=stop("asha", eta=3)))

    status, out, err = machine.call("run", "e.yaml", "--output", "json")

    assert (status, out) == (2, "")
    assert "unknown setting eta for algorithm asha; known are reduction_factor" in err
    assert not machine.state().exists()


@pytest.mark.parametrize("name", ["asha", "percentile", "patience", "hyperband-stop"])
def test_a_good_trial_runs_to_its_end(machine: Machine, name: str) -> None:
    settings: dict[str, object] = {"max_resource": 9} if name == "hyperband-stop" else {}
    document = experiment(
        command=training("for i in 9 8 7 6 5; do echo epoch=$((9-i)) loss=$i; done;"),
        earlyStopping=stop(name, **settings),
    )
    machine.write(document)

    status, out, err = machine.call("run", "e.yaml", "--output", "json")

    assert status == 0, err
    assert json.loads(out)["status"]["trialsSucceeded"] == 4
