"""Where an experiment is watched: a terminal gets a table, a pipe gets lines."""

from __future__ import annotations

import io

from rich.console import Console

from tests.trialwatch.view.watched_experiment import at, experiment, mixed_fortunes
from trialwatch.screen import Screen
from trialwatch.view.experiment_summary import summary_of

TRIALS = mixed_fortunes()
FIRST = summary_of(experiment(), (), {}, at(0))
LAST = summary_of(experiment(TRIALS, "random-0001"), TRIALS, {}, at(9))


def watched(console: Console) -> str:
    with Screen(console) as screen:
        screen.show(FIRST)
        screen.show(LAST)
        screen.show(LAST)
    screen.close(LAST, "[report].html")
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_pipe_gets_each_change_once_and_no_codes() -> None:
    text = watched(Console(file=io.StringIO(), width=40))

    assert "\x1b" not in text
    assert text.count("random-0000 started: ") == 1
    assert text.startswith(
        "experiment random: maximize Validation-accuracy by random, 12 trials at most\n"
    )
    assert text.endswith("report: [report].html\n")


def test_a_terminal_gets_a_table_that_is_drawn_over_and_gets_its_cursor_back() -> None:
    text = watched(Console(file=io.StringIO(), force_terminal=True, width=100, height=30))

    hide, show = "\x1b[?25l", "\x1b[?25h"
    assert text.startswith(hide)
    assert text.index(show) < text.index("optimal trial: ")
    assert "random-0000 started" not in text
    assert "\x1b[1A" in text  # a line up: the second table stands where the first one stood


def test_a_terminal_that_knows_no_codes_gets_lines() -> None:
    console = Console(
        file=io.StringIO(), force_terminal=True, width=100, height=30, _environ={"TERM": "dumb"}
    )

    assert "random-0000 started: " in watched(console)
