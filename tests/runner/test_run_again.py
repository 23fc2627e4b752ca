"""An experiment is corrected and run again: what runs again, what is refused, what is kept."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest

from tests.runner.experiment_runs import PRINTS, Machine, experiment, state_of, wait_for

MISTYPED = ["sh", "-c", "eco loss=${trialParameters.lr}"]
BY_A_FILE = ["sh", "-c", "test -e mended && echo loss=${trialParameters.lr}"]
TWO: dict[str, Any] = {"maxTrialCount": 2}
WIDER = [
    {
        "name": "lr",
        "parameterType": "double",
        "feasibleSpace": {"min": "0.6", "max": "0.9"},
    }
]
OTHER_GOAL: dict[str, Any] = {"objective": {"type": "maximize", "objectiveMetricName": "loss"}}


def choices(machine: Machine, name: str = "quick") -> dict[str, str]:
    """Return the value of `lr` of each trial."""
    return {
        trial: document["spec"]["parameterAssignments"][0]["value"]
        for trial, document in machine.trials(name).items()
    }


def moved_aside(machine: Machine) -> list[str]:
    names = [path.name for path in machine.state().parent.glob("quick.*")]
    assert all(re.fullmatch(r"quick\.\d{4}-\d\d-\d\d-\d{6}(-\d+)?", name) for name in names)
    return names


def test_after_a_mistyped_command_is_corrected_the_same_trials_succeed(machine: Machine) -> None:
    first, _ = machine.run(experiment(command=MISTYPED, **TWO))
    before = choices(machine)
    second, done = machine.run(experiment(command=PRINTS, **TWO))

    assert (first, second) == (1, 0)
    assert choices(machine) == before
    assert done["status"]["trialsSucceeded"] == done["status"]["trials"] == 2
    assert sorted(value for [value] in machine.stored().values()) == sorted(before.values())


def test_after_a_script_is_corrected_the_same_command_runs_the_same_trials(
    machine: Machine,
) -> None:
    machine.run(experiment(command=BY_A_FILE, maxFailedTrialCount=1, **TWO))
    before = choices(machine)
    (machine.folder / "mended").touch()
    status, out, _ = machine.call("run", "e.yaml")

    assert status == 0
    assert before.items() <= choices(machine).items()
    assert "run again, under the same name and with the same parameters\n" in out


def test_after_a_wrong_metric_name_is_corrected_the_same_trials_run_again(
    machine: Machine,
) -> None:
    wrong = {"type": "minimize", "objectiveMetricName": "los"}
    machine.run(experiment(objective=wrong, **TWO))
    before = choices(machine)
    status, _ = machine.run(experiment(**TWO))

    assert status == 0
    assert choices(machine) == before


def test_another_search_starts_anew_if_no_trial_has_a_result(machine: Machine) -> None:
    machine.run(experiment(command=MISTYPED, **TWO))
    before = choices(machine)
    machine.write(experiment(parameters=WIDER, **TWO))
    status, out, _ = machine.call("run", "e.yaml")

    [aside] = moved_aside(machine)
    assert status == 0
    assert all(float(value) >= 0.6 for value in choices(machine).values())
    assert choices(machine, aside) == before
    assert f"the earlier trials are in .trialwatch/default/{aside}\n" in out


def test_a_trial_with_a_result_stays_and_the_failed_ones_run_again_on_request(
    machine: Machine,
) -> None:
    script = ["sh", "-c", "mkdir once 2>&1 || test -e mended && echo loss=${trialParameters.lr}"]
    given = experiment(command=script, parallelTrialCount=1, **TWO)
    machine.run(given)
    before = machine.trials()
    again, _ = machine.run()
    same = machine.trials()
    (machine.folder / "mended").touch()
    status, done = machine.run(None, "--retry-failed")

    succeeded = {k: v for k, v in before.items() if state_of(v) == "Succeeded"}
    assert again == status == 0
    assert same == before
    assert len(succeeded) == 1
    assert succeeded.items() <= machine.trials().items()
    assert (done["status"]["trialsSucceeded"], done["status"]["trials"]) == (2, 2)


def test_a_trial_that_runs_again_begins_with_its_parents_checkpoint_and_not_its_own(
    machine: Machine,
) -> None:
    steps = "/katib/checkpoint/steps"
    script = f"echo step >> {steps}; mkdir once 2>&1 && exit 1; echo loss=$(wc -l < {steps})"
    names = ("suggestion_trial_dir", "n_population", "truncation_threshold")
    values = ("/katib/checkpoint", "5", "0.2")
    settings = [{"name": n, "value": v} for n, v in zip(names, values, strict=True)]
    given = experiment(
        command=["sh", "-c", f"{script} lr=${{trialParameters.lr}}"],
        algorithm={"algorithmName": "pbt", "algorithmSettings": settings},
        parallelTrialCount=1,
        **TWO,
    )
    machine.run(given)
    [failed] = [name for name, one in machine.trials().items() if state_of(one) != "Succeeded"]
    own = machine.state() / "checkpoints" / "quick" / failed / "steps"
    before = own.read_text()
    status, _ = machine.run(None, "--retry-failed")

    assert status == 0
    assert (before, own.read_text()) == ("step\n", "step\n")
    assert machine.stored()[failed] == ["1"]


def test_a_changed_experiment_with_results_is_refused_with_two_lines_to_type(
    machine: Machine,
) -> None:
    machine.run(experiment(**TWO))
    machine.write(experiment(command=["sh", "-c", "echo loss=1 ${trialParameters.lr}"], **TWO))
    status, out, err = machine.call("run", "e.yaml", "--parallel", "1")

    assert (status, out) == (2, "")
    assert err.splitlines()[0].startswith("trialwatch run: spec.trialTemplate: not the same as in")
    assert "2 of its trials have results" in err
    assert err.splitlines()[1:] == [
        (
            "  to start anew, and keep the stored trials beside it:"
            " trialwatch run --fresh e.yaml --parallel 1"
        ),
        "  to delete the stored trials: trialwatch delete experiment/quick",
    ]


def test_each_of_the_two_lines_is_a_way_out(machine: Machine) -> None:
    machine.run(experiment(**TWO))
    before = machine.trials()
    machine.write(experiment(**OTHER_GOAL, **TWO))
    fresh = machine.call("run", "--fresh", "e.yaml")[0]
    [aside] = moved_aside(machine)
    after = machine.trials()
    machine.write(experiment(**TWO))
    deleted, out, _ = machine.call("delete", "experiment/quick", "--yes")

    assert (fresh, deleted) == (0, 0)
    assert not before.keys() & after.keys()
    assert machine.trials(aside) == before
    assert out == "deleted experiment quick with 2 trials\n"
    assert machine.run()[0] == 0


def test_get_and_logs_find_what_was_moved_aside(machine: Machine) -> None:
    machine.run(experiment(**TWO))
    [trial, *_] = machine.trials()
    machine.call("run", "--fresh", "e.yaml")
    [aside] = moved_aside(machine)
    _, out, err = machine.call("get", "experiments")

    assert [line.split()[0] for line in out.splitlines()] == ["NAME", "quick"]
    assert err == f"moved aside: {aside}; to see it: trialwatch get experiments {aside}\n"
    assert trial not in machine.call("get", "trials")[1]
    assert trial in machine.call("get", "trials", aside)[1]
    assert machine.call("get", "experiments", aside)[1].splitlines()[1].split()[0] == aside
    assert machine.call("logs", trial)[1].startswith("loss=")
    assert machine.call("plot", aside)[0] == 0


def test_fresh_without_a_stored_experiment_just_starts(machine: Machine) -> None:
    status, _ = machine.run(experiment(**TWO), "--fresh")

    assert status == 0
    assert moved_aside(machine) == []


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (("--database", "oracle://x"), "does not name a database"),
        (("--fresh", "--retry-failed"), "--fresh and --retry-failed exclude each other"),
    ],
)
def test_a_refused_run_leaves_no_state_directory(
    machine: Machine, flags: tuple[str, ...], line: str
) -> None:
    machine.write(experiment())
    status, _, err = machine.call("run", "e.yaml", *flags)

    assert status == 2
    assert line in err
    assert not (machine.folder / ".trialwatch").exists()


# -- delete ---------------------------------------------------------------------------------


def test_while_a_run_is_at_work_its_experiment_is_not_deleted(machine: Machine) -> None:
    hangs = ["sh", "-c", "echo up >> begun; sleep 600; : ${trialParameters.lr}"]
    machine.write(experiment(command=hangs))
    run = machine.start("run", "e.yaml")
    wait_for((machine.folder / "begun").exists)
    status, _, err = machine.call("delete", "experiment/quick", "--yes")

    assert (status, run.poll()) == (2, None)
    assert "a run is at work on experiment quick: end it with Ctrl-C, then delete" in err
    assert machine.trials()


def test_without_a_terminal_nothing_is_deleted_unless_yes_is_given(machine: Machine) -> None:
    machine.run(experiment(**TWO))
    status, _, err = machine.call("delete", "experiment", "quick", stdin=subprocess.DEVNULL)

    assert status == 2
    assert "add --yes" in err
    assert machine.trials()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("experiment/quik",), "there is no experiment quik in .trialwatch"),
        (("trial/quick-a",), "'trial/quick-a' is not an experiment; write experiment/NAME"),
        (("experiment",), "'experiment' is not an experiment; write experiment/NAME"),
    ],
)
def test_what_cannot_be_deleted_is_named(
    machine: Machine, words: tuple[str, ...], line: str
) -> None:
    status, _, err = machine.call("delete", *words, "--yes")

    assert status == 2
    assert line in err


def test_the_last_experiment_leaves_no_empty_directories(machine: Machine) -> None:
    machine.run(experiment(**TWO), "--state-dir", "kept")
    machine.call("delete", "experiment/quick", "--yes", "--state-dir", "kept")

    assert not (machine.folder / "kept").exists()
