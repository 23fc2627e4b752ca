"""The tables of `trialwatch get`: rows that come later, and objects of other programs."""

from __future__ import annotations

import pytest

from api.objects.experiments import render_experiment
from api.types import ConditionType
from tests.trialwatch.view.watched_experiment import experiment, mixed_fortunes
from trialwatch.output.object_table import Table
from trialwatch.output.watching import Printer

EXPERIMENT = render_experiment(experiment(mixed_fortunes(), "random-0001"))


def test_titles_come_once_and_a_later_row_may_be_wider() -> None:
    table = Table("suggestions", wide=False, namespaces=False)
    first = list(table.lines([{"metadata": {"name": "a"}}]))
    later = list(table.lines([{"metadata": {"name": "longer-name"}}]))

    assert first[0].split() == ["NAME", "TYPE", "STATUS", "REQUESTED", "ASSIGNED", "AGE"]
    assert [len(first), len(later)] == [2, 1]
    assert later[0].index("<unknown>") > first[1].index("<unknown>")
    assert list(table.lines([])) == []


def test_the_best_value_is_the_one_that_stands_for_the_trial() -> None:
    table = Table("experiments", wide=False, namespaces=False)

    assert table.content(EXPERIMENT)[-2:] == ("0/12", "Validation-accuracy=0.9711")


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"metadata": {"name": "x"}, "spec": {"objective": 7, "maxTrialCount": 3}, "status": []},
        {"spec": {"parameters": "none"}, "status": {"currentOptimalTrial": {"observation": 1}}},
    ],
)
def test_an_object_that_is_not_katibs_has_empty_cells(document: dict[str, object]) -> None:
    table = Table("experiments", wide=True, namespaces=True)

    assert len([*table.lines([document])]) == 2  # type: ignore[list-item]  # JSON


def test_a_line_comes_again_only_if_it_differs(capsys: pytest.CaptureFixture[str]) -> None:
    ended = render_experiment(
        experiment(mixed_fortunes(), "random-0001", outcome=ConditionType.SUCCEEDED)
    )
    printer = Printer("", Table("experiments", wide=False, namespaces=False), "experiments")
    for document in (EXPERIMENT, EXPERIMENT, ended, ended):
        printer.show([document])

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["NAME", "random", "random"]


@pytest.mark.parametrize(
    ("output", "begins"),
    [("yaml", "---\n"), ("json", '{\n  "apiVersion'), ("name", "experiment.kubeflow.org/random\n")],
)
def test_whole_objects_are_watched_too(
    output: str, begins: str, capsys: pytest.CaptureFixture[str]
) -> None:
    printer = Printer(output, Table("experiments", wide=False, namespaces=False), "experiments")
    printer.show([EXPERIMENT])
    printer.show([EXPERIMENT])

    out = capsys.readouterr().out
    assert out.startswith(begins)
    assert out.count(begins) == 1
