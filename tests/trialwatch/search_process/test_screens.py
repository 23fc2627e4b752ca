"""What the parent of a search gets: lines, views, and at the end the result."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from api.types import Assignment, ConditionType, Objective, ObjectiveType
from trialwatch.screens.screen import OpenScreen
from trialwatch.search_process.messages import Messages
from trialwatch.search_process.screens import AnsweringScreen, line_screen, view_screen
from ui.model.experiment_summary import ExperimentSummary, TrialRow, TrialState

GOOD = TrialRow(
    name="quick-1",
    state=TrialState.SUCCEEDED,
    assignments=(Assignment(name="lr", value="0.1"),),
    metrics={"loss": "0.25"},
    value=0.25,
    seconds=3.0,
    cause="Trial has succeeded",
)
BAD = replace(GOOD, name="quick-2", state=TrialState.FAILED, metrics={}, value=None, cause="why")
BEGUN = ExperimentSummary(
    name="quick",
    objective=Objective(type=ObjectiveType.MINIMIZE, metric="loss"),
    parameters=(),
    algorithm="tpe",
    most=2,
)
ENDED = replace(BEGUN, rows=(GOOD, BAD), best=GOOD, outcome=ConditionType.SUCCEEDED, reason="done")

Shown = Callable[[Callable[[Messages], OpenScreen], ExperimentSummary], list[dict[str, Any]]]


@pytest.fixture
def shown() -> Iterator[Shown]:
    """What is sent for a search that begins and ends."""
    reading, writing = os.pipe()

    def show(
        screen_for: Callable[[Messages], OpenScreen], last: ExperimentSummary
    ) -> list[dict[str, Any]]:
        with Messages(writing) as messages:
            screen = AnsweringScreen(screen_for(messages)(Console()), messages)
            with screen:
                screen.show(BEGUN)
                screen.tell("an event")
                screen.show(last)
            screen.close(last, "report.html")
        with open(reading, encoding="utf-8", closefd=False) as file:
            return [json.loads(line) for line in file]

    yield show
    os.close(reading)


def test_lines_are_those_of_the_command_line_and_the_result_is_last(shown: Shown) -> None:
    *lines, result = shown(line_screen, ENDED)

    assert {one["event"] for one in lines} == {"line"}
    texts = [one["text"] for one in lines]
    assert texts[0] == "experiment quick: minimize loss by tpe, 2 trials at most"
    assert "an event" in texts
    assert "optimal trial: quick-1" in texts
    assert result["event"] == "result"


def test_the_result_has_all_trials(shown: Shown) -> None:
    result = shown(line_screen, ENDED)[-1]

    trials = result.pop("trials")
    assert result == {
        "event": "result",
        "name": "quick",
        "state": "succeeded",
        "reason": "done",
        "objective": "loss",
        "best": "quick-1",
        "without_best": "",
        "report": "report.html",
    }
    assert trials[0] == {
        "name": "quick-1",
        "state": "succeeded",
        "parameters": {"lr": "0.1"},
        "metrics": {"loss": "0.25"},
        "seconds": 3.0,
        "cause": "",
    }
    assert (trials[1]["state"], trials[1]["cause"]) == ("failed", "why")


def test_an_interrupted_search_says_how_python_continues_it(shown: Shown) -> None:
    *lines, result = shown(line_screen, BEGUN)

    assert "to continue: call trialwatch.tune again with the same arguments" in str(lines)
    assert (result["state"], result["best"]) == ("interrupted", "")
    assert result["without_best"] == "no optimal trial: loss has no value yet"


def test_a_view_has_the_table_as_html_and_as_text(shown: Shown) -> None:
    *views, result = shown(view_screen, ENDED)

    assert [one["event"] for one in views] == ["view"] * len(views)
    assert len(views) >= 3
    assert "an event" in views[-1]["text"]
    assert "optimal trial: quick-1" in views[-1]["text"]
    assert views[-1]["html"].startswith("<pre style=")
    assert "quick-2" in views[-1]["html"]
    assert result["event"] == "result"


def test_a_search_whose_parent_has_ended_sends_nothing_and_goes_on() -> None:
    reading, writing = os.pipe()
    os.close(reading)

    with Messages(writing) as messages:
        messages.send("line", text="first")
        messages.send("line", text="second")
