"""A command that cannot start is refused before the first trial; one that might is not."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from api.objects.experiments import parse_experiment
from api.objects.yamlout import dump_objects
from runner.commands.container_commands import CommandFaults, Host
from runner.commands.experiment_commands import experiment_command_faults
from runner.commands.local_files import LocalFiles
from runner.experiments import checked, examined, read_text
from tests.runner.experiment_runs import experiment

COMMAND = "spec.trialTemplate.trialSpec.spec.template.spec.containers[0]"
LR = "--lr=${trialParameters.lr}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A user's directory, with scripts and a directory of programs."""
    for name in ("train.py", "train.sh", "src/model/fit.py", "bin/trainer", "bin/lib.sh"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "bin" / "trainer").chmod(0o755)
    return tmp_path


def found(
    folder: Path,
    *command: str,
    pod: dict[str, Any] | None = None,
    **container: Any,  # noqa: ANN401
) -> CommandFaults:
    document = experiment(command=command)
    spec = document["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]
    spec.update(pod or {})
    spec["containers"][0].update(container)
    given = read_text(dump_objects([document]), "e.yaml")
    environ = {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    return experiment_command_faults(
        given, Host(environ=environ, cwd=str(folder), files=LocalFiles())
    )


@pytest.mark.parametrize(
    ("command", "where", "words"),
    [
        (["python3", "trian.py", LR], "command[1]", '"trian.py": is not a file in {}, where trials run; did you mean "train.py"?'),
        (["python3", "fit.py", LR], "command[1]", 'did you mean "src/model/fit.py"?'),
        (["python3", "src/modle/fit.py", LR], "command[1]", 'did you mean "src/model/fit.py"?'),
        (["sh", "-c", f"python3 trian.py {LR}"], "command[2]", '"trian.py": is not a file in {}'),
        (["./trian.sh", LR], "command[0]", 'did you mean "./train.sh"?'),
        (["./train.sh", LR], "command[0]", "is a file that cannot be executed: chmod +x ./train.sh"),
        (["train.sh", LR], "command[0]", 'not found in PATH), and trials run here without their image; install it, or use another command; did you mean "./train.sh"?'),
        (["trainr", LR], "command[0]", 'did you mean "trainer"?'),
        (["bash", "/opt/none/trian.sh", LR], "command[1]", "is not a file of this machine, and trials run here without their image"),
    ],
)  # fmt: skip
def test_a_missing_file_is_refused_with_the_most_similar_one(
    folder: Path, command: Sequence[str], where: str, words: str
) -> None:
    result = found(folder, *command)
    [fault] = result.faults

    assert fault.path == f"{COMMAND}.{where}"
    assert words.format(folder) in fault.message
    assert result.warnings == ()


@pytest.mark.parametrize(
    "command",
    [
        ["python3", "train.py", LR],
        ["python3", "-u", "src/model/fit.py", LR],
        ["python3", "-m", "no_such_module", LR],
        ["python3", "-c", f"print({LR!r})"],
        ["python3", "train_${trialParameters.lr}.py"],
        ["${trialParameters.lr}"],
        ["sh", "-c", f"python3 missing.py {LR} || true"],
        ["sh", "-c", f"cd src && python3 missing.py {LR}"],
        ["sh", "-c", f"exit 0 {LR}"],
        ["bash", "trainer", LR],  # bash looks for a script in PATH too
        ["bash", "lib.sh", LR],
        ["trainer", LR],
    ],
)
def test_what_may_run_is_not_refused(folder: Path, command: Sequence[str]) -> None:
    assert found(folder, *command) == CommandFaults()


def test_the_pods_own_path_counts(folder: Path) -> None:
    path = [{"name": "PATH", "value": str(folder / "src")}]
    unknown = [{"name": "PATH", "value": "${trialParameters.lr}"}]

    assert len(found(folder, "trainer", LR, env=path).faults) == 1
    assert found(folder, "nothing", env=unknown) == CommandFaults()


def test_a_variable_in_the_command_is_expanded(folder: Path) -> None:
    env = [{"name": "SCRIPT", "value": "trian.py"}]
    trial = [{"name": "SCRIPT", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]

    [fault] = found(folder, "python3", "$(SCRIPT)", LR, env=env).faults
    assert '"trian.py"' in fault.message
    assert found(folder, "python3", "$(SCRIPT)", LR, env=trial) == CommandFaults()


def test_the_working_directory_counts(folder: Path) -> None:
    inside = str(folder / "src")
    [fault] = found(folder, "python3", "train.py", LR, workingDir=str(folder / "scr")).faults

    assert found(folder, "python3", "model/fit.py", LR, workingDir=inside) == CommandFaults()
    assert fault.path == f"{COMMAND}.workingDir"
    assert fault.message.endswith('did you mean "src"?')


def test_the_parent_of_a_symbolic_link_is_that_of_its_target(folder: Path) -> None:
    (folder / "link").symlink_to(folder / "src" / "model")
    (folder / "src" / "new.py").touch()

    assert found(folder, "python3", "link/../new.py", LR) == CommandFaults()
    assert len(found(folder, "python3", "link/../train.py", LR).faults) == 1


def test_a_file_in_an_empty_volume_may_come_from_anywhere(folder: Path) -> None:
    pod = {"volumes": [{"name": "code", "emptyDir": {}}]}
    mounts = [{"name": "code", "mountPath": "/code"}]

    result = found(folder, "python3", "/code/train.py", LR, pod=pod, volumeMounts=mounts)
    within = found(
        folder, "python3", "train.py", LR, pod=pod, volumeMounts=mounts, workingDir="/code"
    )

    assert result == within == CommandFaults()


def test_a_file_of_a_host_path_is_looked_up_there(folder: Path) -> None:
    pod = {"volumes": [{"name": "code", "hostPath": {"path": str(folder / "src")}}]}
    mounts = [{"name": "code", "mountPath": "/code"}]

    right = found(folder, "python3", "/code/model/fit.py", LR, pod=pod, volumeMounts=mounts)
    wrong = found(folder, "python3", "/code/model/fti.py", LR, pod=pod, volumeMounts=mounts)

    assert right == CommandFaults()
    assert 'did you mean "/code/model/fit.py"?' in wrong.faults[0].message


def test_another_container_may_bring_the_file(folder: Path) -> None:
    init = {"name": "clone", "image": "none", "command": ["sh", "-c", "cp train.py new.py"]}
    result = found(folder, "python3", "new.py", LR, pod={"initContainers": [init]})

    assert result.faults == ()
    assert "ignore this if another container" in result.warnings[0].message


def test_a_program_in_the_text_of_a_shell_is_a_warning(folder: Path) -> None:
    result = found(folder, "sh", "-c", f"trainr {LR}")

    assert result.faults == ()
    assert 'did you mean "trainer"?' in result.warnings[0].message


def test_a_fault_of_the_job_does_not_hide_the_missing_script(folder: Path) -> None:
    document = experiment(command=["python3", "trian.py", LR])
    job = document["spec"]["trialTemplate"]["trialSpec"]
    del job["spec"]["template"]["spec"]["restartPolicy"]
    given, faults = examined(parse_experiment(document))
    host = Host(environ=os.environ, cwd=str(folder), files=LocalFiles())

    assert [fault.path.rpartition(".")[2] for fault in faults] == ["restartPolicy"]
    assert len(experiment_command_faults(given, host).faults) == 1


def test_a_template_in_a_config_map_is_checked_too(folder: Path) -> None:
    document = experiment(command=["python3", "trian.py", LR])
    template = document["spec"]["trialTemplate"]
    text = dump_objects([template.pop("trialSpec")])
    template["configMap"] = {
        "configMapName": "t",
        "configMapNamespace": "default",
        "templatePath": "j",
    }
    template["successCondition"] = template["failureCondition"] = "status.x"
    config_map: dict[str, Any] = {
        "kind": "ConfigMap",
        "metadata": {"name": "t"},
        "data": {"j": text},
    }
    given = read_text(dump_objects([document, config_map]), "e.yaml")
    host = Host(environ=os.environ, cwd=str(folder), files=LocalFiles())

    [fault] = experiment_command_faults(given, host).faults

    assert fault.path == "spec.trialTemplate.configMap.spec.template.spec.containers[0].command[1]"
    assert experiment_command_faults(checked(given.experiment, text), host).faults == (fault,)


@pytest.mark.parametrize(
    "name", ["random", "bayesianoptimization", "hyperband", "pbt", "file-collector", "event-files"]
)
def test_the_examples_can_run(name: str) -> None:
    root = Path(__file__).parents[3]
    given = read_text((root / "examples" / f"{name}.yaml").read_text(), name)
    host = Host(environ=os.environ, cwd=str(root), files=LocalFiles())

    assert experiment_command_faults(given, host) == CommandFaults()
