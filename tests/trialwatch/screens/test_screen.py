"""Where an experiment is watched: a terminal gets a table, a pipe gets lines."""

from __future__ import annotations

import io
import re
from functools import partial
from itertools import count

import pytest
from rich.console import Console

from api.errors import SetupError
from tests.polling import eventually
from tests.trialwatch.view.watched_experiment import at, experiment, mixed_fortunes
from trialwatch.screens.screen import Screen
from ui.model.experiment_summary import summary_of

TRIALS = mixed_fortunes()
FIRST = summary_of(experiment(), (), {}, at(0))
LAST = summary_of(experiment(TRIALS, "random-0001"), TRIALS, {}, at(9))


def watched(console: Console) -> str:
    with Screen(console) as screen:
        screen.show(FIRST)
        screen.show(LAST)
        screen.show(LAST)
    screen.close(LAST, "[report].html")
    return written(console)


def fail_after(screen: Screen) -> None:
    screen.show(LAST)
    raise SetupError("the disk is full")


def terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, color_system=None, width=120, height=30)


def written(console: Console) -> str:
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
    text = watched(terminal())

    take, give_back = "\x1b[?1049h", "\x1b[?1049l"  # the alternate screen
    hide, show = "\x1b[?25l", "\x1b[?25h"
    assert text.startswith(take)
    assert text.index(hide) < text.index(show) < text.index("optimal trial: ")
    assert "random-0000 started" not in text
    assert "\x1b[H" in text  # each table starts at the top
    stays = text[text.index(give_back) :]
    assert stays.index("* random-0001") < stays.index("optimal trial: ")


async def test_the_times_move_without_news() -> None:
    console = terminal()
    seconds = count(10)
    with Screen(console, lambda: at(next(seconds))) as screen:
        screen.show(LAST)
        for moment in ("8s", "9s"):  # of the trial that started after 5 seconds
            await eventually(partial(shows_running, console, moment))


def shows_running(console: Console, moment: str) -> bool:
    return re.search(rf"random-0005 .* running +{moment}", written(console)) is not None


def test_a_warning_is_shown_below_the_table_and_written_to_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console = terminal()
    screen = Screen(console)
    screen.warn("trialwatch run: probes do not run")
    with screen:
        screen.show(FIRST)

    assert "trialwatch run: probes do not run" in written(console)
    assert capsys.readouterr().err == "trialwatch run: probes do not run\n"


def test_an_error_leaves_the_last_table_on_the_screen() -> None:
    console = terminal()
    with pytest.raises(SetupError), Screen(console) as screen:
        fail_after(screen)

    assert "* random-0001" in written(console).split("\x1b[?1049l")[1]


def test_a_terminal_that_knows_no_codes_gets_lines() -> None:
    console = Console(
        file=io.StringIO(), force_terminal=True, width=100, height=30, _environ={"TERM": "dumb"}
    )

    assert "random-0000 started: " in watched(console)
