"""`trialwatch run`: to the end, taken up again, further, refused."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

import pytest

from tests.runner.experiment_runs import Machine, experiment, message_of, state_of, wait_for
from tests.runner.local_pods import processes_with

_WAITS = (
    "echo ${trialParameters.lr} >> begun; echo loss=${trialParameters.lr};"
    " until [ -e go ]; do sleep 0.05; done; echo ${trialParameters.lr} >> ended"
)
SLOW = ["sh", "-c", _WAITS]


def test_it_runs_to_the_end_and_the_store_has_what_was_printed(machine: Machine) -> None:
    status, done = machine.run(experiment())
    trials, stored = machine.trials(), machine.stored()
    best = done["status"]["currentOptimalTrial"]

    assert status == 0
    assert done["status"]["trialsSucceeded"] == len(trials) == 4
    assert {name: machine.printed(name) for name in trials} == {
        name: f"loss={value}\n" for name, [value] in stored.items()
    }
    assert best["observation"]["metrics"][0]["min"] == min(
        (value for [value] in stored.values()), key=float
    )
    assert [*(machine.state() / "pods").rglob("*/volumes")] == []
    assert [*(machine.state() / "jobs").iterdir()] == []


def test_its_lines_say_what_happens_and_the_optimum_comes_last(machine: Machine) -> None:
    machine.write(experiment())
    status, out, _ = machine.call("run", "e.yaml")

    assert status == 0
    assert out.startswith("experiment quick: minimize loss by random, 4 trials at most\n")
    assert len(re.findall(r"^quick-\w+ succeeded after", out, re.MULTILINE)) == 4
    assert re.search(
        r"^optimal trial: quick-\w+\n  loss  0\.\d+\n  lr    0\.\d+$", out, re.MULTILINE
    )


def test_no_more_run_at_a_time_than_was_asked_for(machine: Machine) -> None:
    # The first three wait for each other, half a minute at most: a busy machine starts them apart.
    meet = "i=0; until [ $(grep -c b t) -ge 3 ] || [ $((i += 1)) -gt 600 ]; do sleep 0.05; done"
    script = f"echo b >> t; {meet}; echo e >> t; echo loss=${{trialParameters.lr}}"
    machine.run(experiment(command=["sh", "-c", script], maxTrialCount=5), "--parallel", "3")
    running = highest = 0
    for line in (machine.folder / "t").read_text().split():
        running += 1 if line == "b" else -1
        highest = max(highest, running)

    assert (running, highest) == (0, 3)


def test_an_experiment_that_fails_ends_with_status_1_and_the_cause(machine: Machine) -> None:
    script = "echo lr ${trialParameters.lr}; echo 'ValueError: no data' >&2; exit 1"
    status, done = machine.run(experiment(command=["sh", "-c", script], maxFailedTrialCount=2))
    trials = machine.trials()

    assert status == 1
    assert done["status"]["conditions"][-1]["type"] == "Failed"
    failed = [trial for trial in trials.values() if state_of(trial) == "Failed"]
    assert len(failed) >= 2
    assert all(message_of(one).endswith(" | ValueError: no data") for one in failed)


def test_bad_input_ends_with_status_2_and_a_line_for_each_fault(machine: Machine) -> None:
    machine.write(experiment(algorithm={"algorithmName": "randm"}, parallelTrialCount=9))
    status, out, err = machine.call("run", "e.yaml")

    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 2
    assert "Traceback" not in err
    assert not machine.state().exists()


def test_goal_reached_ends_the_others(machine: Machine) -> None:
    script = (
        "echo loss=${trialParameters.lr}; if mkdir first 2>/dev/null; then exit 0; fi; sleep 600"
    )
    goal = {"type": "minimize", "goal": 10, "objectiveMetricName": "loss"}
    status, done = machine.run(experiment(command=["sh", "-c", script], objective=goal))

    assert status == 0
    assert done["status"]["conditions"][-1]["reason"] == "ExperimentGoalReached"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_ends_every_process_and_goes_on_later(
    machine: Machine, number: signal.Signals
) -> None:
    mark = f"MARK=interrupted-{number.name}-{os.getpid()}"
    machine.write(experiment(command=SLOW))
    first = machine.start("run", "e.yaml", MARK=mark.removeprefix("MARK="))
    wait_for(lambda: len(_lines(machine, "begun")) == 2)
    first.send_signal(number)
    first.communicate(timeout=60)

    assert first.returncode == 130
    assert processes_with(mark) == []
    (machine.folder / "go").touch()
    status, done = machine.run()
    begun, ended = _lines(machine, "begun"), _lines(machine, "ended")
    assert status == 0
    assert done["status"]["trialsSucceeded"] == len(machine.trials()) == len(ended) == 4
    assert set(begun) == set(ended)
    assert len(begun) == 6


def test_a_second_interrupt_does_not_wait_for_who_ignores_the_first(machine: Machine) -> None:
    mark = f"deaf-{os.getpid()}"
    script = "trap '' TERM; echo up >> begun; while :; do sleep 0.05; done; : ${trialParameters.lr}"
    machine.write(experiment(command=["sh", "-c", script]))
    run = machine.start("run", "e.yaml", MARK=mark)
    wait_for(lambda: len(_lines(machine, "begun")) == 2)
    run.send_signal(signal.SIGINT)
    wait_for(lambda: [*machine.state().glob("pods/*/*/interrupted")])
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=60)

    assert run.returncode == 130
    assert processes_with(f"MARK={mark}") == []


def test_what_has_ended_is_not_run_again_and_a_larger_count_goes_further(
    machine: Machine,
) -> None:
    count = [
        "sh", "-c", "echo ${trialParameters.lr} >> begun; echo loss=${trialParameters.lr}"
    ]  # fmt: skip
    machine.run(experiment(command=count))
    before = machine.trials()
    again, _ = machine.run(experiment(command=count))
    same = machine.trials()
    more, done = machine.run(experiment(command=count, maxTrialCount=7))

    assert (again, more) == (0, 0)
    assert same == before
    assert done["status"]["trialsSucceeded"] == len(_lines(machine, "begun")) == 7
    assert before.items() <= machine.trials().items()


def test_after_too_many_failures_a_larger_count_goes_further(machine: Machine) -> None:
    succeeds_once = "echo loss=${trialParameters.lr}; mkdir once || test -e mended"
    script = ["sh", "-c", succeeds_once]
    first, _ = machine.run(experiment(command=script, maxFailedTrialCount=1, parallelTrialCount=1))
    (machine.folder / "mended").touch()
    second, done = machine.run(
        experiment(command=script, maxFailedTrialCount=3, parallelTrialCount=1)
    )

    assert (first, second) == (1, 0)
    assert (done["status"]["trialsFailed"], done["status"]["trialsSucceeded"]) == (1, 3)


def test_another_search_under_the_same_name_is_refused_with_the_remedy(machine: Machine) -> None:
    machine.run(experiment())
    machine.write(experiment(objective={"type": "maximize", "objectiveMetricName": "loss"}))
    status, _, err = machine.call("run", "e.yaml")

    assert status == 2
    assert err.startswith("trialwatch run: spec.objective: ")
    assert "trialwatch run --fresh e.yaml\n" in err


def test_fields_that_act_only_in_a_cluster_are_named(machine: Machine) -> None:
    document = experiment(maxTrialCount=1, parallelTrialCount=1)
    [one] = document["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]["containers"]
    one["lifecycle"] = {"preStop": {"exec": {"command": ["true"]}}}
    machine.write(document)
    status, _, err = machine.call("run", "e.yaml")

    assert status == 0
    assert "template.spec.containers[0].lifecycle: its hooks are not run on this machine" in err


def test_when_its_spawner_is_killed_it_says_so_and_goes_on_later(machine: Machine) -> None:
    machine.write(experiment(command=SLOW))
    first = machine.start("run", "e.yaml")
    wait_for(lambda: len(_lines(machine, "begun")) == 2)
    [spawner] = _children_of(first.pid)
    os.kill(spawner, signal.SIGKILL)
    _, err = first.communicate(timeout=60)
    (machine.folder / "go").touch()
    again, done = machine.run()

    assert (first.returncode, again) == (2, 0)
    assert "run the command again to restart them" in err
    assert (done["status"]["trialsSucceeded"], done["status"]["trials"]) == (4, 4)


def _children_of(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for path in children for child in path.read_text().split()]


def test_two_runs_of_one_experiment_do_not_meet(machine: Machine) -> None:
    machine.write(experiment(command=SLOW))
    first = machine.start("run", "e.yaml")
    wait_for(lambda: len(_lines(machine, "begun")) == 2)
    status, _, err = machine.call("run", "e.yaml")
    (machine.folder / "go").touch()
    first.communicate(timeout=60)

    assert (status, first.returncode) == (2, 0)
    assert f"another run (process {first.pid}) uses" in err


def test_it_takes_another_database(machine: Machine) -> None:
    url = f"sqlite:///{machine.folder}/elsewhere.db"
    status, _ = machine.run(experiment(), "--database", url)

    assert status == 0
    assert (machine.folder / "elsewhere.db").exists()
    assert not (machine.state() / "observations.db").exists()


def test_grid_ends_where_its_points_end(machine: Machine) -> None:
    parameters = [
        {"name": "lr", "parameterType": "categorical", "feasibleSpace": {"list": ["1", "2", "3"]}}
    ]
    status, done = machine.run(
        experiment(algorithm={"algorithmName": "grid"}, parameters=parameters, maxTrialCount=None)
    )

    assert status == 0
    assert done["status"]["conditions"][-1]["reason"] == "ExperimentSuggestionEndReached"
    assert sorted(machine.stored().values()) == [["1"], ["2"], ["3"]]


def test_trials_are_stopped_early_and_keep_what_was_measured(machine: Machine) -> None:
    """Medianstop: three good trials, then one that is worse from its fourth value on."""
    script = (
        "n=$(ls done 2>/dev/null | wc -l); mkdir -p done;"
        " if [ $n -lt 3 ]; then for i in 1 2 3 4; do echo loss=0.$i; done; touch done/$n;"
        " else for i in 1 2 3 4 5 6; do echo loss=9.$i; done; sleep 600; fi; : ${trialParameters.lr}"
    )
    stop = {
        "algorithmName": "medianstop",
        "algorithmSettings": [
            {"name": "min_trials_required", "value": "3"},
            {"name": "start_step", "value": "4"},
        ],
    }
    status, done = machine.run(
        experiment(command=["sh", "-c", script], earlyStopping=stop, parallelTrialCount=1)
    )
    [stopped] = [t for t in machine.trials().values() if state_of(t) == "EarlyStopped"]

    assert status == 0
    assert (done["status"]["trialsSucceeded"], done["status"]["trialsEarlyStopped"]) == (3, 1)
    assert stopped["status"]["observation"]["metrics"][0]["min"] == "9.1"


def _lines(machine: Machine, name: str) -> list[str]:
    path: Path = machine.folder / name
    return path.read_text().split() if path.exists() else []


def test_json_output_is_one_document_and_nothing_else(machine: Machine) -> None:
    machine.write(experiment())
    _, out, err = machine.call("run", "e.yaml", "--output", "json")

    assert json.loads(out)["kind"] == "Experiment"
    assert "optimal trial" in err
