"""The Experiment of a tuning request."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from api.documents import mappings_at
from api.errors import UserError
from api.objects.experiments import parse_experiment, render_experiment
from api.types import (
    AlgorithmSpec,
    Assignment,
    CollectorKind,
    Experiment,
    LogFormat,
    Objective,
    ObjectiveType,
    SuggestedTrial,
)
from controller.reconcile.creation import trial_of
from runner.devices.capacity import ParallelFrom
from runner.experiments import checked
from runner.pods.expansion import expand
from tests.trialwatch.tuning.test_space import spaces
from trialwatch.tuning.command import read_command
from trialwatch.tuning.experiment import build_experiment, usual_algorithm
from trialwatch.tuning.request import MetricsFile, TuningRequest
from trialwatch.tuning.space import Space, read_space

ACCURACY = Objective(type=ObjectiveType.MAXIMIZE, metric="accuracy")
LR = {"lr": read_space("0.001..0.1:log")}


def request(*words: str, **fields: object) -> TuningRequest:
    start = TuningRequest(
        command=read_command(words or ("python", "train.py", "--lr={lr}")),
        spaces=LR,
        objective=ACCURACY,
        algorithm=AlgorithmSpec(name="tpe"),
    )
    return replace(start, **fields)  # type: ignore[arg-type]  # fields of the request


def container_of(experiment: Experiment, **values: str) -> dict[str, object]:
    """Return the container of a trial with these parameters."""
    given = checked(experiment).experiment
    assignments = tuple(Assignment(name=name, value=value) for name, value in values.items())
    trial = trial_of(given, SuggestedTrial(name="t", assignments=assignments), None)
    [container] = mappings_at(trial.spec.run_spec, "spec", "template", "spec", "containers")
    return dict(container)


def test_trials_with_gpus_run_as_many_at_a_time_as_fit() -> None:
    experiment = build_experiment(request(gpus=2))

    assert container_of(experiment, lr="1")["resources"] == {"limits": {"nvidia.com/gpu": 2}}
    assert checked(experiment).parallel_from is ParallelFrom.DEFAULT
    assert checked(build_experiment(request())).parallel_from is ParallelFrom.FILE
    assert "resources" not in container_of(build_experiment(request()), lr="1")


def test_a_trial_gets_its_values_as_arguments_and_variables() -> None:
    experiment = build_experiment(request("LR={lr}", "sh", "train.sh", "x{lr}y"))

    container = container_of(experiment, lr="0.5")

    assert container["command"] == ["sh", "train.sh", "x0.5y"]
    assert container["env"] == [{"name": "LR", "value": "0.5"}]


@pytest.mark.parametrize("program", ["python", "/usr/bin/python3.11"])
def test_python_prints_each_line_at_once(program: str) -> None:
    own = [{"name": "PYTHONUNBUFFERED", "value": "1"}]
    theirs = [{"name": "PYTHONUNBUFFERED", "value": ""}]

    experiment = build_experiment(request(program, "train.py", "{lr}"))
    assert container_of(experiment, lr="1")["env"] == own
    experiment = build_experiment(request("PYTHONUNBUFFERED=", program, "train.py", "{lr}"))
    assert container_of(experiment, lr="1")["env"] == theirs


@pytest.mark.parametrize("script", ["echo $(date) $$ $$$$ ${HOME} $HOME", "$$(x) {{lr}} $"])
def test_a_shell_script_reaches_the_program_as_it_was_written(script: str) -> None:
    container = container_of(build_experiment(request("sh", "-c", script, "{lr}")), lr="1")
    command = container["command"]

    assert isinstance(command, list)
    assert [expand(word, {"date": "never"}) for word in command] == [
        "sh",
        "-c",
        script.replace("{{lr}}", "{lr}"),
        "1",
    ]


FIELDS = {
    "lr": "1e-05",
    "layers": "3",
    "opt": "adam",
    "batch": "16",
    "odd": ".5",
    "flag": "true",
}
SPACES = {
    "lr": read_space("1e-6..0.1:log"),
    "layers": read_space("2..5"),
    "opt": read_space("adam,sgd"),
    "batch": read_space("16,32"),
    "odd": read_space("0,.5"),
    "flag": read_space("true,false"),
}
READ = {"lr": 1e-05, "layers": 3, "opt": "adam", "batch": 16, "odd": ".5", "flag": True}


def test_a_file_of_parameters_has_them_all_with_their_types() -> None:
    experiment = build_experiment(
        request("program", "{params.json}", "{params.yaml}", spaces=SPACES)
    )
    command = container_of(experiment, **FIELDS)["command"]
    assert isinstance(command, list)
    assert command[-3:] == [
        "program",
        "/srv/trialwatch/params.json",
        "/srv/trialwatch/params.yaml",
    ]


@pytest.mark.parametrize(("kind", "load"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_the_shell_writes_the_file_and_becomes_the_program(
    kind: str, load: object, tmp_path: object
) -> None:
    experiment = build_experiment(request("cat", f"{{params.{kind}}}", spaces=SPACES))
    command = container_of(experiment, **FIELDS)["command"]
    assert isinstance(command, list)
    words = [word.replace("/srv/trialwatch", str(tmp_path)) for word in command]

    done = subprocess.run(words, capture_output=True, text=True, check=True)

    assert callable(load)
    assert load(done.stdout) == READ


def test_a_value_that_needs_an_escape_is_refused_for_a_file_of_parameters() -> None:
    spaces = {"opt": read_space('"a\\"b",c')}

    with pytest.raises(UserError, match=r"--param opt: the value .* pass the value as an argument"):
        build_experiment(request("program", "{params.json}", spaces=spaces))


def test_metrics_in_a_file_are_collected_from_there() -> None:
    file = MetricsFile(path="/metrics/log.jsonl", format=LogFormat.JSON)
    experiment = build_experiment(request("p", "{lr}", "--log={file}", metrics_file=file))

    assert experiment.spec.collector is not None
    assert experiment.spec.collector.kind is CollectorKind.FILE
    assert container_of(experiment, lr="1")["command"] == ["p", "1", "--log=/metrics/log.jsonl"]


# -- names ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "start"),
    [
        (("python", "sub/my_train.py", "{lr}"), "my-train-"),
        (("python", "-m", "pkg.fit", "{lr}"), "fit-"),
        (("./Train.SH", "{lr}"), "train-"),
        (("cargo", "run", "{lr}"), "cargo-"),
        (("python", "7.py", "{lr}"), "tune-7-"),
        (("python", "é.py", "{lr}"), "tune-"),
        (("python", "x" * 99 + ".py", "{lr}"), "xxxx"),
    ],
)
def test_the_name_comes_from_the_program(words: tuple[str, ...], start: str) -> None:
    name = build_experiment(request(*words)).metadata.name

    assert name.startswith(start)
    assert len(name) <= 40


def test_the_same_search_has_the_same_name_and_another_search_another_name() -> None:
    name = build_experiment(request()).metadata.name

    assert build_experiment(request()).metadata.name == name
    assert build_experiment(request(trials=99, parallel=1)).metadata.name == name
    for other in (
        request("python", "train.py", "--rate={lr}"),
        request(spaces={"lr": read_space("0.001..0.2:log")}),
        request(objective=replace(ACCURACY, metric="f1")),
        request(algorithm=AlgorithmSpec(name="random")),
        request(image="registry.example/train"),
    ):
        assert build_experiment(other).metadata.name != name


def test_a_given_name_stays() -> None:
    assert build_experiment(request(name="mine")).metadata.name == "mine"


# -- every request makes a valid Experiment ----------------------------------------------------


@given(st.dictionaries(st.from_regex(r"[a-z][\w.-]{0,5}", fullmatch=True), spaces(), min_size=1))
def test_every_built_experiment_passes_admission(drawn: dict[str, Space]) -> None:
    words = [f"--{name}={{{name}}}" for name in drawn]
    algorithm = AlgorithmSpec(name=usual_algorithm(drawn, 20))
    experiment = build_experiment(request("program", *words, spaces=drawn, algorithm=algorithm))

    assert checked(experiment).experiment.spec.parameters
    assert parse_experiment(render_experiment(experiment)) == experiment


def test_a_small_space_is_searched_as_a_whole() -> None:
    spaces = {"layers": read_space("1..3"), "opt": read_space("adam,sgd")}

    assert usual_algorithm(spaces, 6) == "grid"
    assert usual_algorithm(spaces, 5) == "tpe"
    assert usual_algorithm(LR, 1000) == "tpe"
