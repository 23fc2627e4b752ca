"""`trialwatch validate`: all faults of all files, and what is valid in each; nothing is started."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest

from api.errors import Fault
from api.names import COLLECTOR_CONTAINER
from api.objects.yamlout import dump_objects
from api.types import JsonObject
from kube.testing.apiserver import ApiServer
from kube.testing.memory import MemoryCluster
from tests.runner.experiment_runs import experiment
from tests.trialwatch.cluster_experiments import CommandLine
from trialwatch.__main__ import main
from trialwatch.admission.offline_admission import offline_verdict
from webhook.model.config import Config

QUICK = "experiment quick, 1 parameter, algorithm random, at most 4 trials"
COMMAND = "spec.trialTemplate.trialSpec.spec.template.spec.containers[0].command[1]"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, name: str, *documents: dict[str, Any]) -> None:
    (folder / name).write_text(dump_objects(documents))


def test_a_valid_file_is_summed_up(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, "e.yaml", experiment())

    assert main(["validate", "e.yaml"]) == 0
    assert capsys.readouterr() == (f"e.yaml: valid: {QUICK}\n", "")
    assert [path.name for path in folder.iterdir()] == ["e.yaml"]


def test_all_faults_of_all_files_and_documents_are_listed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "train.py").touch()
    script = ["python3", "trian.py", "${trialParameters.lr}"]
    wrong = experiment(
        name="wrong", algorithm={"algorithmName": "evolution"}, parallelTrialCount=9, command=script
    )
    write(folder, "two.yaml", experiment(), wrong)
    (folder / "broken.yaml").write_text("kind: [\n")
    write(folder, "job.yaml", {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}})

    status = main(["validate", "two.yaml", "broken.yaml", "none.yaml", "job.yaml"])
    out, err = capsys.readouterr()
    lines = err.splitlines()

    assert (status, out) == (2, f"two.yaml: valid: {QUICK}\n")
    assert [line.partition(": Invalid value")[0] for line in lines[:3]] == [
        "two.yaml: experiment wrong: spec.parallelTrialCount",
        "two.yaml: experiment wrong: spec.algorithm.algorithmName",
        f"two.yaml: experiment wrong: {COMMAND}",
    ]
    assert "unknown algorithm name evolution" in lines[1]
    assert 'did you mean "train.py"?' in lines[2]
    assert lines[3].startswith("broken.yaml: line ")
    assert lines[4].startswith("trialwatch validate: cannot read 'none.yaml'")
    assert lines[5].startswith("job.yaml: document: has no Experiment (found: Job)")


def test_an_object_of_another_kind_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, "e.yaml", experiment(), {**experiment(name="other"), "kind": "Experimet"})
    write(folder, "none.yaml", {**experiment(), "kind": "Experimet"})

    assert main(["validate", "e.yaml", "none.yaml"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        (
            "e.yaml: warning: Experimet other is not checked, only Experiment, Trial, Suggestion;"
            ' did you mean "Experiment"?'
        ),
        (
            "none.yaml: document: has no Experiment (found: Experimet); write one with"
            ' `kind: Experiment`; did you mean "Experiment"?'
        ),
    ]


def test_standard_input_is_a_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = dump_objects([experiment(algorithm={"algorithmName": "randm"})]).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))

    assert main(["validate", "-"]) == 2
    assert capsys.readouterr().err.startswith("standard input: experiment quick: spec.algorithm")


def test_what_only_a_cluster_refuses_or_warns_of_is_a_warning(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = experiment(maxTrialCount=None)
    write(folder, "endless.yaml", document)
    template = document["spec"]["trialTemplate"]
    [container] = template["trialSpec"]["spec"]["template"]["spec"]["containers"]
    container["name"] = template["primaryContainerName"] = COLLECTOR_CONTAINER
    write(folder, "name.yaml", document)

    assert main(["validate", "endless.yaml", "name.yaml"]) == 0
    err = capsys.readouterr().err.splitlines()
    assert err[0].startswith("endless.yaml: warning: experiment quick: spec.maxTrialCount: neither")
    assert (
        "name.yaml: warning: experiment quick: a cluster refuses it: spec.trialTemplate" in err[-1]
    )
    assert "is the name of the sidecar" in err[-1]


def test_a_cluster_is_chosen_only_with_its_flag(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "e.yaml", "--context", "staging"]) == 2
    assert capsys.readouterr().err == (
        "trialwatch validate: --kubeconfig and --context are for a cluster: add --cluster\n"
    )


# -- the API server -------------------------------------------------------------------------


def admission(document: JsonObject) -> tuple[tuple[Fault, ...], tuple[str, ...]]:
    verdict = offline_verdict(document, (), Config())
    return verdict.faults, verdict.warnings


async def test_the_api_server_decides_and_stores_nothing(
    katib_api: ApiServer, command_line: CommandLine
) -> None:
    katib_api.admission = admission
    missing = ["no-such-program", "${trialParameters.lr}"]  # it is in the image
    good = experiment(command=missing, maxTrialCount=None)
    bad = experiment(name="bad", algorithm={"algorithmName": "randm"}, parallelTrialCount=9)
    write(command_line.folder, "e.yaml", good, bad)

    status, out, err = await command_line("validate", "e.yaml", "--cluster")
    lines = err.splitlines()

    assert status == 2
    assert out == "e.yaml: valid: experiment quick, 1 parameter, algorithm random\n"
    assert lines[0].startswith("e.yaml: warning: experiment quick: spec.maxTrialCount: neither")
    assert [line.partition(": Invalid")[0] for line in lines[1:]] == [
        "e.yaml: experiment bad: spec.parallelTrialCount",
        "e.yaml: experiment bad: spec.algorithm.algorithmName",
    ]
    assert katib_api.asked["create Experiment"] == 2
    assert "no experiments" in (await command_line("get", "experiments"))[2]


async def test_an_experiment_that_exists_is_checked_as_a_change(
    katib: MemoryCluster, katib_api: ApiServer, command_line: CommandLine
) -> None:
    document = experiment()
    await katib.create({**document, "metadata": {"name": "quick", "namespace": "team"}})
    write(command_line.folder, "e.yaml", document)

    status, out, _ = await command_line("validate", "e.yaml", "--cluster")

    assert (status, out) == (0, f"e.yaml: valid: {QUICK}\n")
    assert katib_api.asked["replace Experiment"] == 1


async def test_settings_that_only_the_search_checks_are_checked_too(
    command_line: CommandLine,
) -> None:
    settings = [{"name": "gamma", "value": "2"}]
    tpe = experiment(algorithm={"algorithmName": "tpe", "algorithmSettings": settings})
    unknown = experiment(name="other", algorithm={"algorithmName": "of-this-cluster"})
    write(command_line.folder, "e.yaml", tpe, unknown)

    status, out, err = await command_line("validate", "e.yaml", "--cluster")

    assert status == 2
    assert "experiment quick: spec.algorithm.algorithmSettings[0].value: Invalid" in err
    assert out.startswith("e.yaml: valid: experiment other, ")


async def test_a_namespace_that_does_not_exist_is_the_fault(command_line: CommandLine) -> None:
    write(command_line.folder, "e.yaml", experiment())

    status, _, err = await command_line("validate", "e.yaml", "--cluster", "-n", "nowhere")

    assert status == 2
    assert err.startswith("e.yaml: experiment quick: metadata.namespace: ")


async def test_a_cluster_that_does_not_answer_ends_the_check(
    katib_api: ApiServer, command_line: CommandLine
) -> None:
    write(command_line.folder, "e.yaml", experiment())
    await katib_api.stop()

    status, _, err = await command_line("validate", "e.yaml", "--cluster")

    assert status == 1
    assert "cannot reach the API server" in err
