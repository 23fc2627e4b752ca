"""The report: one file that needs nothing else, with every trial in both of its plots."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.names import GENERATION_LABEL, PARENT_LABEL
from api.types import Assignment, ConditionType, Experiment, ObjectiveType, Trial
from tests.trialwatch.view.watched_experiment import (
    MIXED_LATEST,
    OBJECTIVE,
    at,
    experiment,
    mixed_fortunes,
    trial,
)
from trialwatch.view.axes import NOWHERE
from trialwatch.view.history_plot import history_plot
from trialwatch.view.parallel_plot import parallel_plot
from trialwatch.view.report import report
from ui.model.experiment_summary import ExperimentSummary, summary_of

TRIALS = mixed_fortunes()
FAILED = ConditionType.FAILED


def stands(found: Experiment, trials: tuple[Trial, ...]) -> ExperimentSummary:
    return summary_of(found, trials, MIXED_LATEST, at(9))


MIXED = stands(experiment(TRIALS, "random-0001"), TRIALS)


class Page(HTMLParser):
    """What a browser would make of a page: its elements, and where they point to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href", "action"}]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def traces(figure: Any) -> dict[str, Any]:  # noqa: ANN401 - plotly has no types
    return {trace.name: trace for trace in figure.data if trace.name}


def test_the_page_points_nowhere_and_brings_its_library() -> None:
    text = report(MIXED)
    page = Page(text)

    assert page.links == []
    assert set(page.elements) & {"link", "img", "iframe", "object", "embed"} == set()
    assert "plotly.js v" in text
    assert text.count("Plotly.newPlot(") >= 2
    assert "@import" not in Page(report(MIXED, library="")).words


def test_the_page_says_what_came_out() -> None:
    words = " ".join(Page(report(MIXED, library="")).words)

    assert "maximize Validation-accuracy, goal 0.99, by random" in words
    assert "Optimal trial: random-0001" in words
    assert "Trial has failed. Job message: exit status 1" in words
    assert all(one.metadata.name in words for one in TRIALS)


@pytest.mark.parametrize(
    "text",
    ["</script><script>alert(1)</script>", "<img src=x>", '"&<b>', "\x00\ud800\n", "${x} $y"],
)
def test_what_a_user_wrote_stays_text(text: str) -> None:
    choice = (Assignment(name="optimizer", value=text),)
    trials = (
        trial(0, value=text, assignments=choice),
        trial(1, FAILED, message=text, assignments=choice),
    )
    found = stands(experiment(trials, "random-0000", name=text, message=text), trials)

    page = report(found, library="")

    assert Page(page).elements.count("script") == Page(report(MIXED, library="")).elements.count(
        "script"
    )
    assert "img" not in Page(page).elements
    page.encode()


def test_an_experiment_without_trials_has_a_report() -> None:
    words = " ".join(Page(report(stands(experiment(), ()), library="")).words)

    assert "No optimal trial" in words


def test_of_very_many_trials_the_table_shows_a_part_and_says_so() -> None:
    trials = tuple(trial(i, value="0.5") for i in range(1100))
    words = Page(report(stands(experiment(trials), trials), library="")).words

    assert "… 100 more" in words


def test_trials_with_generations_show_their_parents_and_others_have_no_such_column() -> None:
    first, second = trial(0, value="0.5"), trial(1, value="0.6")
    own = {GENERATION_LABEL: "1", PARENT_LABEL: first.metadata.name}
    second = replace(second, spec=replace(second.spec, labels=own))

    def words(*trials: Trial) -> list[str]:
        return Page(report(stands(experiment(trials), trials), library="")).words

    assert f"1 of {first.metadata.name}" in words(first, second)
    assert "generation" in words(first, second)
    assert "generation" not in words(first)


# -- the optimisation history ---------------------------------------------------------------


def test_each_trial_has_its_mark_in_the_history() -> None:
    found = traces(history_plot(MIXED))

    assert (found["succeeded"].x, found["succeeded"].y) == ((1, 2), (0.9133, 0.9711))
    assert (found["stopped early"].x, found["stopped early"].y) == ((4,), (0.4022,))
    assert (found["running"].x, found["running"].y) == ((6,), (0.1022,))
    assert found["failed"].x == (3,)
    assert found["no metrics"].x == (5,)
    marks = {found[name].marker.symbol for name in ("succeeded", "stopped early", "failed")}
    assert len(marks) == 3


def test_a_trial_without_a_value_stands_on_a_scale_of_its_own() -> None:
    figure = history_plot(MIXED)

    assert traces(figure)["failed"].yaxis == "y2"
    assert figure.layout.yaxis2.ticktext == ("no value",)
    assert "exit status 1" in traces(figure)["failed"].hovertext[0]


def test_axes_and_plots_are_named() -> None:
    for figure in (history_plot(MIXED), parallel_plot(MIXED)):
        assert figure.layout.title.text
    layout = history_plot(MIXED).layout
    assert layout.xaxis.title.text == "trial, in order of suggestion"
    assert layout.yaxis.title.text == "Validation-accuracy (more is better)"


@given(values=st.lists(st.floats(0, 1), min_size=1, max_size=30), less=st.booleans())
def test_the_best_so_far_is_the_best_so_far(values: list[float], *, less: bool) -> None:
    kind = ObjectiveType.MINIMIZE if less else ObjectiveType.MAXIMIZE
    trials = tuple(trial(i, value=repr(value)) for i, value in enumerate(values))
    base = stands(experiment(trials), trials)
    objective = type(OBJECTIVE)(type=kind, metric="m")
    found = ExperimentSummary(
        name="e", objective=objective, parameters=base.parameters, rows=base.rows
    )

    line = traces(history_plot(found))["best so far"]

    steps = dict(zip(line.x, line.y, strict=True))
    best = min if less else max
    assert steps[len(values)] == best(values)
    assert all(height == best(values[:number]) for number, height in steps.items())


# -- the parallel coordinates ---------------------------------------------------------------


def test_the_line_of_a_trial_goes_through_its_values() -> None:
    best = traces(parallel_plot(MIXED))["best trial"]

    # lr=0.0011 on a logarithm from 0.001 to 0.1; 3 of 2 to 5 layers; adam, the second of three.
    assert best.x[:4] == (0, 1, 2, 3)
    assert best.y[:4] == pytest.approx((0.0207, 1 / 3, 0.5, 1), abs=1e-3)
    assert best.x[4] is None
    for words in ("random-0001", "lr = ", "optimizer = adam", "Validation-accuracy = 0.9711"):
        assert words in best.hovertext[0]


def test_a_trial_without_a_value_ends_below_the_axis_with_a_dash() -> None:
    failed = traces(parallel_plot(MIXED))["failed"]

    assert failed.y[3] == NOWHERE
    assert failed.line.dash == "dash"
    texts = [text for trace in parallel_plot(MIXED).data for text in trace.text or ()]
    assert "no value " in texts


def test_every_axis_has_its_name_and_its_ticks() -> None:
    figure = parallel_plot(MIXED)
    texts = [text.strip() for trace in figure.data for text in trace.text or ()]

    assert [text[3:-4] for text in figure.layout.xaxis.ticktext] == [
        "lr",
        "num-layers",
        "optimizer",
        "Validation-accuracy",
    ]
    assert {"0.001", "0.01", "0.1", "2", "5", "sgd", "adam", "ftrl"} <= set(texts)


@pytest.mark.parametrize("kind", [ObjectiveType.MINIMIZE, ObjectiveType.MAXIMIZE])
def test_quarters_go_from_the_best_to_the_worst(kind: ObjectiveType) -> None:
    trials = tuple(trial(i, value=f"0.{10 + i}") for i in range(9))
    base = stands(experiment(trials), trials)
    objective = type(OBJECTIVE)(type=kind, metric="Validation-accuracy")
    found = ExperimentSummary(
        name="e", objective=objective, parameters=base.parameters, rows=base.rows
    )

    groups = traces(parallel_plot(found))

    ends = {name: sorted(groups[name].y[3::5]) for name in groups if "quarter" in name}
    order = ["best quarter", "second quarter", "third quarter", "last quarter"]
    if kind is ObjectiveType.MAXIMIZE:
        order.reverse()
    heights = [height for name in order for height in ends[name]]
    assert len(heights) == 9
    assert heights == sorted(heights)


def test_where_all_values_are_one_the_lines_end_in_the_middle() -> None:
    trials = tuple(trial(i, value="0.5") for i in range(3))
    groups = traces(parallel_plot(stands(experiment(trials), trials)))

    assert {height for trace in groups.values() for height in trace.y[3::5]} == {0.5}
