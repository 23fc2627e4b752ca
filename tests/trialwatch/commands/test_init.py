"""`trialwatch init`, and `trialwatch tune --save`: a commented file of an Experiment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.objects.yamltext import load_objects
from runner.experiments import read_text
from tests.runner.experiment_runs import Machine
from tests.trialwatch.commands.test_tune import LR, PROGRAM, TRAIN
from trialwatch.__main__ import main

INIT = ("init", "--", "python3", "train.py", "--lr", "0.1", "--opt", "adam")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    (tmp_path / "train.py").write_text(TRAIN)
    yield made
    made.close()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(TRAIN)
    return tmp_path


def test_the_file_runs_as_it_is_written(machine: Machine) -> None:
    status, out, err = machine.call(*INIT)

    assert (status, err) == (0, "")
    assert (
        out
        == """\
wrote experiment.yaml with 2 parameters:
  lr   0.01..1:log
  opt  adam
it minimizes loss; this shows what the program prints:
  trialwatch tune -- python3 train.py --lr 0.1 --opt adam
check the lines with CHECK in experiment.yaml, then write
  trialwatch run experiment.yaml
"""
    )
    status, out, err = machine.call("run", "experiment.yaml")

    assert (status, err) == (0, "")
    assert "20 trials: 20 succeeded" in out
    assert "experiment train: minimize loss by tpe" in out


def test_another_file_is_not_overwritten_without_force(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = here / "experiment.yaml"
    file.write_text("mine")

    assert main(INIT) == 2
    assert file.read_text() == "mine"
    assert capsys.readouterr().err == (
        "trialwatch init: experiment.yaml exists with another content: add --force to replace it, or"
        " --save FILE to write another file\n"
    )
    assert main(("init", "--force", *INIT[1:])) == 0
    assert main(INIT) == 0, "the same content is no reason to stop"
    assert "kind: Experiment" in file.read_text()


def test_the_flags_of_init_are_in_the_file(here: Path) -> None:
    flags = ("--maximize=accuracy", "--image=registry.example/t:1", "--name=mine", "--save=a.yaml")

    assert main(("init", *flags, *INIT[1:])) == 0

    text = (here / "a.yaml").read_text()
    experiment = read_text(Path("a.yaml").read_text(), "a.yaml").experiment
    assert experiment.metadata.name == "mine"
    assert experiment.spec.objective is not None
    assert experiment.spec.objective.metric == "accuracy"
    assert "image: registry.example/t:1" in text
    assert "CHECK: The metric" not in text
    assert "CHECK: The image" not in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("init", "--", "python3", "train.py"),
            (
                "the command has no value that looks like a parameter: write its flags with their values, such as\n"
                "  trialwatch init -- python3 train.py --lr 0.1"
            ),
        ),
        (
            ("init", "--", "python3", "train.py", "--lr={lr}"),
            (
                "init takes a command with values, such as --lr 0.1 in the place of {lr}; for a command with places,"
                " write\n  trialwatch tune --save experiment.yaml --maximize METRIC --param NAME=SPACE --"
                " python3 train.py --lr={lr}"
            ),
        ),
        (
            ("init", "python3", "train.py"),
            "-- is missing before the program 'python3': write\n  trialwatch init -- python3 train.py",
        ),
        (
            ("init", "--save=no/e.yaml", *INIT[1:]),
            "cannot write no/e.yaml: No such file or directory; write --save FILE",
        ),
        (
            ("init", "--name=Mine", *INIT[1:]),
            '--name: Invalid value: "Mine": name must consist of lower case',
        ),
        (
            ("tune", "--save=e.yaml", "--param", LR, *PROGRAM),
            "--save needs --maximize METRIC or --minimize METRIC",
        ),
    ],
)
def test_a_mistake_gets_what_to_type(
    words: tuple[str, ...], message: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(words)

    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert err.startswith(f"trialwatch {words[0]}: {message}")
    assert [path.name for path in here.iterdir()] == ["train.py"]


def test_a_saved_line_is_the_experiment_that_the_line_runs(machine: Machine) -> None:
    line = ("--maximize=accuracy", "--param", LR, "--trials=2")
    status, _, err = machine.call("tune", *line, *PROGRAM)
    assert (status, err) == (0, "")

    status, out, err = machine.call("tune", "--save=e.yaml", *line, *PROGRAM)
    assert (status, err) == (0, "")
    assert "for a cluster, write the same line with --image IMAGE" in out

    status, out, err = machine.call("run", "e.yaml")
    assert (status, err) == (0, "")
    assert "2 trials: 2 succeeded" in out
    assert len([*(machine.folder / ".trialwatch" / "default").iterdir()]) == 1


def test_a_saved_line_with_an_image_does_not_need_the_program_here(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--save=e.yaml", "--image=registry.example/t:1", "--maximize=a", "--param", LR)

    assert main(("tune", *words, "--", "/opt/train", "{lr}")) == 0

    assert capsys.readouterr().out.endswith("or on a cluster\n  kubectl apply -f e.yaml\n")
    [document] = load_objects((here / "e.yaml").read_text())
    assert document["kind"] == "Experiment"
