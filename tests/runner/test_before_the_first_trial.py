"""What `trialwatch run` does before the first trial: reads, checks, and shows the pod."""

from __future__ import annotations

import subprocess
from pathlib import Path

from api.objects.yamlout import dump_objects
from api.objects.yamltext import load_objects
from tests.runner.experiment_runs import Machine, experiment

LR = "--lr=${trialParameters.lr}"


def test_a_misspelt_script_is_refused_before_anything_is_stored(machine: Machine) -> None:
    (machine.folder / "train.py").write_text("print('loss=1')")
    machine.write(experiment(command=["python3", "trian.py", LR]))
    status, out, err = machine.call("run", "e.yaml")

    assert (status, out) == (2, "")
    assert err.splitlines() == [
        (
            "trialwatch run: spec.trialTemplate.trialSpec.spec.template.spec.containers[0].command[1]:"
            f' Invalid value: "trian.py": is not a file in {machine.folder}, where trials run; did you'
            ' mean "train.py"?'
        ),
        "To run the trials without this check, add --no-check.",
    ]
    assert not (machine.folder / ".trialwatch").exists()


def test_the_check_can_be_skipped(machine: Machine) -> None:
    document = experiment(
        command=["python3", "trian.py", LR], maxTrialCount=1, parallelTrialCount=1
    )
    _, found = machine.run(document, "--no-check")

    assert found["status"]["trialsFailed"] == 1


def test_the_result_of_an_ended_experiment_is_shown_without_its_script(machine: Machine) -> None:
    (machine.folder / "train.py").write_text("print('loss=1')")
    document = experiment(
        command=["python3", "train.py", LR], maxTrialCount=1, parallelTrialCount=1
    )
    first, _ = machine.run(document)
    (machine.folder / "train.py").unlink()
    second, found = machine.run(document)

    assert (first, second) == (0, 0)
    assert found["status"]["trialsSucceeded"] == 1


def test_a_dry_run_prints_the_pod_of_the_webhook_and_leaves_nothing(machine: Machine) -> None:
    settings = [{"name": "random_state", "value": "7"}]
    algorithm = {"algorithmName": "random", "algorithmSettings": settings}
    machine.write(experiment(algorithm=algorithm))
    status, out, err = machine.call("run", "e.yaml", "--dry-run")
    again = machine.call("run", "e.yaml", "--dry-run")[1]
    [pod] = load_objects(out)
    text = dump_objects([pod])

    assert (status, again) == (0, out)
    assert (pod["kind"], pod["metadata"]["namespace"]) == ("Pod", "default")  # type: ignore[index, call-overload]  # a pod
    assert "metrics-logger-and-collector" in text
    assert "/run/trialwatch/launch" in text
    assert "trialParameters" not in text
    assert err.startswith("trialwatch run: nothing is started; a first trial: lr=0.")
    assert [path.name for path in machine.folder.iterdir()] == ["e.yaml"]


def test_a_dry_run_of_an_experiment_for_a_cluster_only_warns_of_its_command(
    machine: Machine,
) -> None:
    machine.write(experiment(command=["/opt/none/trainer", LR]))
    status, out, err = machine.call("run", "e.yaml", "--dry-run")

    assert (status, "/opt/none/trainer" in out) == (0, True)
    assert err.startswith("trialwatch run: warning: spec.trialTemplate")


def test_the_first_trial_of_a_dry_run_is_that_of_the_run(machine: Machine) -> None:
    settings = [{"name": "random_state", "value": "7"}]
    algorithm = {"algorithmName": "random", "algorithmSettings": settings}
    document = experiment(algorithm=algorithm, maxTrialCount=2)
    machine.write(document)
    _, _, err = machine.call("run", "e.yaml", "--dry-run")
    machine.run(document)
    [value] = [line.rpartition("lr=")[2] for line in err.splitlines()]

    assert [value] in machine.stored().values()


def test_standard_input_is_read(machine: Machine) -> None:
    text = dump_objects([experiment(maxTrialCount=1, parallelTrialCount=1)])
    process = machine.start("run", "-", stdin=subprocess.PIPE)
    out, err = process.communicate(text, timeout=120)

    assert process.returncode == 0, err
    assert "quick" in out
    assert len(machine.trials()) == 1


def test_a_fault_of_standard_input_says_so(machine: Machine) -> None:
    process = machine.start("run", "-", stdin=subprocess.PIPE)
    _, err = process.communicate("kind: Job\n", timeout=60)

    assert process.returncode == 2
    assert err.startswith("trialwatch run: standard input has no Experiment (found: Job)")


def test_a_misspelt_file_is_named(tmp_path: Path, machine: Machine) -> None:
    status, _, err = machine.call("run", str(tmp_path / "none.yaml"))

    assert status == 2
    assert err.endswith(
        "none.yaml': No such file or directory; write the path of a file, or - for standard input\n"
    )


def test_all_faults_are_listed_at_once_and_a_missing_script_first(machine: Machine) -> None:
    document = experiment(command=["python3", "trian.py", LR], maxTrailCount=3)
    document["spec"]["algorithm"]["algorithmName"] = "randm"
    machine.write(document)
    status, out, err = machine.call("run", "e.yaml")

    assert (status, out) == (2, "")
    paths = [line.removeprefix("trialwatch run: ").split(":")[0] for line in err.splitlines()]
    assert paths == [
        "spec.trialTemplate.trialSpec.spec.template.spec.containers[0].command[1]",
        "spec.maxTrailCount",
        "spec.algorithm.algorithmName",
    ]


def test_a_program_in_the_place_of_the_file_gets_the_line_that_tunes_it(machine: Machine) -> None:
    (machine.folder / "my train.py").write_text("print('loss: 1')")
    status, out, err = machine.call("run", "my train.py")

    assert (status, out) == (2, "")
    assert err == (
        "trialwatch run: my train.py is a program, and not the file of an Experiment: write\n"
        "  trialwatch tune -- python3 'my train.py'\n"
    )
