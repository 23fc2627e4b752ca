"""`trialwatch plot`: the report of an experiment that is kept on this machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from api.names import NUMBER_LABEL
from api.objects.experiments import render_experiment
from api.objects.trials import render_trial
from runner.state.directory import StateDirectory, state_of
from runner.state.documents import write_document
from tests.trialwatch.view.watched_experiment import experiment, mixed_fortunes
from trialwatch.__main__ import main


@pytest.fixture
def kept(tmp_path: Path) -> StateDirectory:
    return keep(tmp_path, "team", "random")


def keep(root: Path, namespace: str, name: str) -> StateDirectory:
    """Leave on the disk what a run leaves; the trials' numbers run against their names."""
    state = state_of(root, namespace, name)
    state.make()
    trials = mixed_fortunes()
    made = experiment(trials, "random-0001", name=name)
    placed = replace(made, metadata=replace(made.metadata, namespace=namespace))
    write_document(state.experiment, render_experiment(placed))
    for place, trial in enumerate(trials):
        labels = {NUMBER_LABEL: str(len(trials) - place)}
        numbered = replace(trial, metadata=replace(trial.metadata, labels=labels))
        write_document(state.trials / f"{trial.metadata.name}.yaml", render_trial(numbered))
    return state


def plot(root: Path, *words: str) -> int:
    return main(["plot", "--state-dir", str(root), *words])


def test_the_report_is_written_beside_the_objects_and_its_place_is_printed(
    kept: StateDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plot(tmp_path) == 0

    assert capsys.readouterr().out == f"{kept.report}\n"
    text = kept.report.read_text()
    assert "Optimal trial: random-0001" in text


def test_trials_are_in_the_order_in_which_they_were_asked_for(
    kept: StateDirectory, tmp_path: Path
) -> None:
    plot(tmp_path)

    rows = kept.report.read_text().split("<h2>All trials</h2>")[1]
    places = [rows.index(f"random-{number:04x}") for number in range(8)]
    assert places == sorted(places, reverse=True)


def test_it_is_written_where_it_is_wanted(
    kept: StateDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plot(tmp_path, "random", "-o", str(tmp_path / "a.html")) == 0

    assert capsys.readouterr().out == f"{tmp_path / 'a.html'}\n"
    assert not kept.report.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["randm"], 'there is no experiment randm in {}; did you mean "random"?'),
        (["xyz"], "there is no experiment xyz in {}; there are other, random"),
        (
            [],
            "there are several experiments in {}; choose one: -n a other, -n a random, -n b random",
        ),
        (["random"], "there are several experiments in {}; choose one: -n a random, -n b random"),
        (
            ["-n", "c"],
            "there are no experiments in {} (-n c); start one with `trialwatch run EXPERIMENT.yaml`, or use --context for a cluster",
        ),
        (
            ["-n", "b", "-o", "/no/such/place"],
            "cannot write /no/such/place: No such file or directory; choose another file with -o",
        ),
    ],
)
def test_what_cannot_be_plotted_is_said_with_what_can(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for namespace, name in (("a", "other"), ("a", "random"), ("b", "random")):
        keep(tmp_path, namespace, name)

    assert plot(tmp_path, *words) == 2

    assert capsys.readouterr().err == f"trialwatch plot: {message.format(tmp_path)}\n"


def test_where_nothing_is_kept_it_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plot(tmp_path) == 2

    assert capsys.readouterr().err == (
        f"trialwatch plot: there are no experiments in {tmp_path}; start one with"
        " `trialwatch run EXPERIMENT.yaml`, or use --context for a cluster\n"
    )
