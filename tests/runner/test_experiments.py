"""A newcomer's errors: each is one clear line with the field's path, and all come at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api.errors import SpecError, UserError
from api.objects.yamlout import dump_objects
from runner.experiments import read_text
from tests.runner.experiment_runs import experiment
from trialwatch.command_line.input_file import read_input


def faults(document: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(SpecError) as refused:
        read_text(dump_objects([document]), "e.yaml")
    return {fault.path: str(fault) for fault in refused.value.faults}


def test_a_good_one_has_no_fault() -> None:
    read = read_text(dump_objects([experiment()]), "e.yaml").experiment

    assert (read.metadata.namespace, read.spec.parallel_trial_count) == ("default", 2)


NEWCOMERS: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown algorithm": (
        {"algorithm": {"algorithmName": "randm"}},
        "spec.algorithm.algorithmName",
        "unknown algorithm name randm; did you mean",
    ),
    "setting out of range": (
        {
            "algorithm": {
                "algorithmName": "tpe",
                "algorithmSettings": [{"name": "n_startup_trials", "value": "-1"}],
            }
        },
        "spec.algorithm.algorithmSettings[0].value",
        "n_startup_trials",
    ),
    "goal without number": (
        {"objective": {"type": "minimize", "goal": "low", "objectiveMetricName": "loss"}},
        "spec.objective.goal",
        "must be a number",
    ),
    "parallel greater than max": (
        {"parallelTrialCount": 20},
        "spec.parallelTrialCount",
        "should be less than or equal to spec.maxTrialCount, which is 4",
    ),
    "bad regex": (
        {
            "metricsCollectorSpec": {
                "collector": {"kind": "StdOut"},
                "source": {"filter": {"metricsFormat": ["([a-z]+)=[0-9"]}},
            }
        },
        "spec.metricsCollectorSpec.source.filter.metricsFormat[0]",
        "",
    ),
    "a collector of a cluster": (
        {
            "metricsCollectorSpec": {
                "collector": {"kind": "Custom", "customCollector": {"name": "own", "image": "none"}}
            }
        },
        "spec.metricsCollectorSpec.collector.kind",
        "is not supported on this machine",
    ),
    "early stopping with a wrong setting": (
        {
            "earlyStopping": {
                "algorithmName": "medianstop",
                "algorithmSettings": [{"name": "start_step", "value": "0"}],
            }
        },
        "spec.earlyStopping.algorithmSettings[0].value",
        "start_step",
    ),
}


@pytest.mark.parametrize("case", NEWCOMERS)
def test_a_newcomers_error_has_its_path_and_its_words(case: str) -> None:
    changes, path, words = NEWCOMERS[case]
    found = faults(experiment(**changes))

    assert list(found) == [path]
    assert words in found[path]
    assert "\n" not in found[path]


def test_a_parameter_that_the_template_does_not_use_is_named() -> None:
    document = experiment(command=["sh", "-c", "echo loss=1"])
    found = faults(document)

    assert list(found) == ["spec.trialTemplate.trialParameters[0].name"]
    assert "${trialParameters.lr}" in next(iter(found.values()))


def test_all_faults_come_at_once() -> None:
    found = faults(
        experiment(
            algorithm={"algorithmName": "randm"}, parallelTrialCount=20, maxFailedTrialCount=-1
        )
    )

    assert set(found) == {
        "spec.algorithm.algorithmName",
        "spec.parallelTrialCount",
        "spec.maxFailedTrialCount",
    }


@pytest.mark.parametrize(
    ("job", "path", "words"),
    [
        (
            {
                "apiVersion": "kubeflow.org/v1",
                "kind": "PyTorchJob",
                "spec": {"a": "${trialParameters.lr}"},
            },
            "spec.trialTemplate.trialSpec",
            "kind PyTorchJob (kubeflow.org/v1) needs an operator",
        ),
        (
            {"spec": {"parallelism": 3}},
            "spec.trialTemplate.trialSpec.spec.parallelism",
            "a trial has one pod on this machine",
        ),
    ],
)
def test_a_job_that_this_machine_cannot_run_is_refused_before_anything_starts(
    job: dict[str, Any], path: str, words: str
) -> None:
    found = faults(experiment(job=job))

    assert words in found[path]


def test_a_command_that_stands_in_the_image_is_asked_for() -> None:
    document = experiment()
    [one] = document["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]["containers"]
    one["args"] = one.pop("command")
    [(path, said)] = faults(document).items()

    assert path == "spec.trialTemplate.trialSpec.spec.template.spec.containers[0].command"
    assert "without images" in said


def test_a_template_in_a_config_map_of_the_same_file_is_taken() -> None:
    document = experiment()
    template = document["spec"]["trialTemplate"]
    text = dump_objects([template.pop("trialSpec")])
    template["configMap"] = {
        "configMapName": "templates",
        "configMapNamespace": "default",
        "templatePath": "job.yaml",
    }
    template["successCondition"] = 'status.conditions.#(type=="Complete")#|#(status=="True")#'
    template["failureCondition"] = 'status.conditions.#(type=="Failed")#|#(status=="True")#'
    map_: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "templates", "namespace": "default"},
        "data": {"job.yaml": text},
    }

    assert read_text(dump_objects([map_, document]), "e.yaml").template == text
    assert list(faults(document)) == ["spec.trialTemplate.configMap"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no Experiment (found: nothing)"),
        ("kind: Job\napiVersion: batch/v1\n", "found: Job"),
        (dump_objects([experiment(), experiment()]), "several Experiments"),
        ("{", "e.yaml, line 2, column 1: is not valid YAML"),
    ],
)
def test_a_file_that_has_not_one_experiment_says_what_it_has(text: str, words: str) -> None:
    with pytest.raises(UserError) as refused:
        read_text(text, "e.yaml")

    assert words in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.yaml.*No such file"):
        read_input(str(tmp_path / "none.yaml"))


def test_parallel_of_the_command_line_counts_like_that_of_the_file() -> None:
    with pytest.raises(SpecError, match=r"^--parallel: .* spec\.maxTrialCount, which is 4"):
        read_text(dump_objects([experiment()]), "e.yaml", 9)
