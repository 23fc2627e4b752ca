"""`trialwatch get` and `trialwatch logs`: what kubectl would show, and what was printed."""

from __future__ import annotations

import json
import re
import signal

import pytest

from api.objects.yamltext import load_objects
from tests.runner.experiment_runs import Machine, experiment, wait_for

SCRIPT = "echo loss=${trialParameters.lr}; echo warning: slow >&2"


@pytest.fixture
def ended(machine: Machine) -> Machine:
    """A machine on which an experiment has run."""
    status, _ = machine.run(experiment(command=["sh", "-c", SCRIPT], maxTrialCount=2))
    assert status == 0
    return machine


def test_tables_are_those_of_kubectl(ended: Machine) -> None:
    experiments = ended.call("get", "experiments")[1].splitlines()
    trials = ended.call("get", "trial")[1].splitlines()
    suggestions = ended.call("get", "suggestions", "quick")[1].splitlines()

    assert experiments[0].split() == ["NAME", "TYPE", "STATUS", "AGE", "TRIALS", "BEST"]
    assert re.fullmatch(r"quick +Succeeded +True +\d+s +2/2 +loss=0\.\d+", experiments[1])
    assert trials[0].split() == ["NAME", "TYPE", "STATUS", "AGE", "PARAMETERS", "METRICS"]
    assert len(trials) == 3
    row = r"quick-\w{8} +Succeeded +True +\d+s +lr=(0\.\d+) +loss=\1"
    assert all(re.fullmatch(row, line) for line in trials[1:])
    assert suggestions[0].split() == ["NAME", "TYPE", "STATUS", "REQUESTED", "ASSIGNED", "AGE"]
    assert suggestions[1].split()[3:5] == ["2", "2"]


def test_objects_are_given_whole(ended: Machine) -> None:
    [trial, *_] = ended.trials()
    [as_yaml] = load_objects(ended.call("get", "trials", trial, "-o", "yaml")[1])
    as_json = json.loads(ended.call("get", "trials", trial, "-o", "json")[1])
    listed = json.loads(ended.call("get", "trials", "-o", "json")[1])
    wide = ended.call("get", "trials", "-o", "wide")[1]
    named = ended.call("get", "trials", "-o", "name")[1]

    assert as_yaml == as_json == ended.trials()[trial]
    assert (listed["kind"], len(listed["items"])) == ("List", 2)
    assert named.split() == [f"trial.kubeflow.org/{name}" for name in names(wide)]
    assert wide.splitlines()[0].split()[0] == "NAMESPACE"
    assert "Trial has succeeded" in wide


def test_a_name_alone_is_that_of_any_object_and_no_word_shows_the_experiments(
    ended: Machine,
) -> None:
    [trial, *_] = ended.trials()

    assert ended.call("get", "-o", "name")[1] == "experiment.kubeflow.org/quick\n"
    assert ended.call("get", "quick", "-o", "name")[1] == "experiment.kubeflow.org/quick\n"
    assert ended.call("get", trial, "-o", "name")[1] == f"trial.kubeflow.org/{trial}\n"
    assert ended.call("get", trial, "-o", "json") == ended.call("get", "trial", trial, "-o", "json")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("get", "pods"), "'pods' is not a kind; write one of: experiments, trials, suggestions"),
        (("get", "trials", "-o", "xml"), "-o 'xml' is unknown"),
        (("get", "trials", "none"), "there is no trial none"),
        (("logs", "none"), "there is no trial none"),
        (
            ("get", "experiment", "--state-dir", "elsewhere"),
            "--state-dir: elsewhere does not exist",
        ),
        (("get", "trialls"), 'trials, suggestions; did you mean "trials"?'),
    ],
)
def test_what_is_not_there_is_said_in_one_line(
    machine: Machine, words: tuple[str, ...], said: str
) -> None:
    status, out, err = machine.call(*words)

    assert (status, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1


def names(wide: str) -> list[str]:
    return [line.split()[1] for line in wide.splitlines()[1:]]


def test_a_running_trial_shows_its_newest_values(machine: Machine) -> None:
    script = (
        "echo loss=3; echo loss=5; until [ -e go ]; do sleep 0.05; done; : ${trialParameters.lr}"
    )
    machine.write(experiment(command=["sh", "-c", script], maxTrialCount=1, parallelTrialCount=1))
    run = machine.start("run", "e.yaml")
    wait_for(lambda: "loss=5" in machine.call("get", "trials")[1])
    (machine.folder / "go").touch()
    run.communicate(timeout=60)

    assert run.returncode == 0
    assert "loss=3" in machine.call("get", "trials")[1]  # the value that stands for the trial


def test_a_watch_prints_each_change_until_the_user_interrupts(machine: Machine) -> None:
    script = "until [ -e go ]; do sleep 0.05; done; echo loss=${trialParameters.lr}"
    machine.write(experiment(command=["sh", "-c", script], maxTrialCount=1, parallelTrialCount=1))
    run = machine.start("run", "e.yaml")
    wait_for(lambda: [*machine.state().glob("logs/*/*/main.log")])
    [trial] = machine.trials()
    watch = machine.start("get", "trials", "-w")
    assert watch.stdout is not None
    head, first = watch.stdout.readline(), watch.stdout.readline()
    (machine.folder / "go").touch()
    last = next(line for line in watch.stdout if "Succeeded" in line)
    run.communicate(timeout=60)
    watch.send_signal(signal.SIGINT)
    rest, err = watch.communicate(timeout=60)

    assert head.split()[:2] == ["NAME", "TYPE"]
    assert re.match(rf"{trial} +(Created|Running) +True ", first)
    assert re.match(rf"{trial} +Succeeded +True +\d+s +lr=0\.\d+ +loss=0\.\d+$", last)
    assert (watch.returncode, rest, err) == (130, "", "")


def test_a_watch_shows_that_a_run_was_killed(machine: Machine) -> None:
    script = "sleep 600; : ${trialParameters.lr}"
    machine.write(experiment(command=["sh", "-c", script], maxTrialCount=1, parallelTrialCount=1))
    run = machine.start("run", "e.yaml")
    wait_for(lambda: [*machine.state().glob("logs/*/*/main.log")])
    watch = machine.start("get", "experiments", "--watch")
    assert watch.stdout is not None
    assert watch.stdout.readline().split()[0] == "NAME"
    run.send_signal(signal.SIGKILL)
    interrupted = next(line for line in watch.stdout if "Interrupted" in line)
    assert watch.stderr is not None
    message = watch.stderr.readline()
    watch.send_signal(signal.SIGINT)
    _, rest = watch.communicate(timeout=60)

    assert re.match(r"quick +Interrupted +True ", interrupted)
    assert message == "experiment quick was interrupted; to continue: trialwatch run e.yaml\n"
    assert rest == ""


def test_a_machine_without_experiments_has_none(machine: Machine) -> None:
    status, out, err = machine.call("get", "experiments")

    assert (status, out) == (0, "")
    assert "trialwatch run" in err


def test_logs_are_the_trainers_lines_after_the_end_too(ended: Machine) -> None:
    for trial, [value] in ended.stored().items():
        assert ended.call("logs", trial)[:2] == (0, f"loss={value}\nwarning: slow\n")


def test_a_misspelt_trial_or_an_experiment_in_its_place_gets_the_right_word(
    ended: Machine,
) -> None:
    [trial, *_] = ended.trials()
    _, _, misspelt = ended.call("logs", trial[:-1])
    _, _, experiment_name = ended.call("logs", "quick")
    _, _, other = ended.call("logs", "nothing-like-it")

    assert f'there is no trial {trial[:-1]} in .trialwatch; did you mean "{trial}"?' in misspelt
    assert "quick is an experiment, not a trial: write experiment/quick" in experiment_name
    assert all(name in other for name in ended.trials())


def test_the_directory_of_one_experiment_is_not_a_state_directory(ended: Machine) -> None:
    place = ended.state().relative_to(ended.folder)
    status, _, err = ended.call("get", "trials", "--state-dir", str(place))

    assert status == 2
    assert err.endswith(f"namespace, {ended.folder / '.trialwatch'}\n")


def test_the_collectors_log_has_the_trainers_lines_and_only_its_own_warnings(
    ended: Machine,
) -> None:
    [trial, *_] = ended.trials()
    status, out, _ = ended.call("logs", trial, "-c", "metrics-logger-and-collector")
    wrong, _, err = ended.call("logs", trial, "-c", "mian")

    assert status == 0
    assert "loss=" in out
    assert "[trialwatch]" not in out
    assert wrong == 2
    assert "main" in err


def test_a_log_is_followed_to_the_trials_end(machine: Machine) -> None:
    script = (
        "echo first; until [ -e go ]; do sleep 0.05; done; echo last; echo loss=1;"
        " : ${trialParameters.lr}"
    )
    machine.write(experiment(command=["sh", "-c", script], maxTrialCount=1, parallelTrialCount=1))
    run = machine.start("run", "e.yaml")
    wait_for(lambda: [*machine.state().glob("logs/*/*/main.log")])
    [trial] = machine.trials()
    follower = machine.start("logs", "-f", trial)
    (machine.folder / "go").touch()
    out, _ = follower.communicate(timeout=60)
    run.communicate(timeout=60)

    assert (follower.returncode, run.returncode) == (0, 0)
    assert out == "first\nlast\nloss=1\n"


def test_a_reader_that_has_had_enough_is_no_error(ended: Machine) -> None:
    [trial, *_] = ended.trials()
    process = ended.start("logs", trial)
    assert process.stdout is not None
    process.stdout.close()
    process.wait(timeout=60)

    assert process.returncode in (0, 128 + signal.SIGPIPE)
