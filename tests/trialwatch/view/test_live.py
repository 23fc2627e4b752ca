"""The table while an experiment runs: as files, at the sizes of real terminals, and at any size."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from api.types import Assignment, ConditionType
from tests.trialwatch.view.watched_experiment import (
    MIXED_LATEST,
    at,
    experiment,
    mixed_fortunes,
    trial,
)
from trialwatch.view.live import LiveView, live_view
from ui.model.experiment_summary import RunState, TrialState, summary_of

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tests.conftest import Golden

DATA = Path(__file__).parent / "data"


def drawn(view: RenderableType, width: int, height: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None)
    with console.capture() as capture:
        console.print(view)
    return [line.rstrip() for line in capture.get().splitlines()]


@pytest.mark.parametrize(("width", "height"), [(120, 24), (80, 24), (50, 24), (30, 12)])
def test_a_run_with_all_fates_on_terminals_of_many_widths(
    golden: Golden, width: int, height: int
) -> None:
    trials = mixed_fortunes()
    view = live_view(experiment(trials, "random-0001"), trials, MIXED_LATEST, at(9))

    golden(DATA / f"live-{width}x{height}.txt", "\n".join(drawn(view, width, height)) + "\n")


def test_of_very_many_trials_the_best_the_running_and_the_newest_are_shown(golden: Golden) -> None:
    running = {40, 189, 190}
    trials = tuple(
        trial(i, ConditionType.RUNNING) if i in running else trial(i, value=f"0.{5000 + i}")
        for i in range(191)
    )
    view = live_view(experiment(trials, "random-0015", most=200), trials, {}, at(200))

    golden(DATA / "live-191-trials.txt", "\n".join(drawn(view, 100, 18)) + "\n")


def test_before_the_first_trial_there_is_an_empty_table(golden: Golden) -> None:
    view = live_view(experiment(), (), {}, at(0))

    golden(DATA / "live-at-the-start.txt", "\n".join(drawn(view, 100, 18)) + "\n")


def test_without_a_limit_there_is_no_bar() -> None:
    view = live_view(experiment(most=None), (), {}, at(3))

    assert "0 trials · 3s" in drawn(view, 80, 24)


_KINDS = st.sampled_from(
    [
        ConditionType.CREATED,
        ConditionType.RUNNING,
        ConditionType.SUCCEEDED,
        ConditionType.FAILED,
        ConditionType.EARLY_STOPPED,
        ConditionType.METRICS_UNAVAILABLE,
    ]
)


@given(
    kinds=st.lists(_KINDS, max_size=80),
    best=st.integers(0, 80),
    width=st.integers(20, 200),
    height=st.integers(12, 60),
    text=st.text(max_size=60),
)
def test_it_is_never_higher_or_wider_than_the_terminal(
    kinds: list[ConditionType], best: int, width: int, height: int, text: str
) -> None:
    choice = tuple(Assignment(name=name, value=text) for name in ("lr", "num-layers", "optimizer"))
    trials = tuple(
        trial(i, kind, value=text, message=text, assignments=choice) for i, kind in enumerate(kinds)
    )
    view = live_view(experiment(trials, f"random-{best:04x}"), trials, {}, at(99))

    lines = drawn(view, width, height)

    assert len(lines) < height
    assert max(map(cell_len, lines)) <= width


@given(count=st.integers(1, 200), height=st.integers(12, 60))
def test_every_trial_is_shown_or_counted(count: int, height: int) -> None:
    trials = tuple(trial(i, value="0.5") for i in range(count))
    view = live_view(experiment(trials, "random-0000"), trials, {}, at(99))

    table = drawn(view, 100, height)[4:-4]

    hidden = sum(int(line.split()[1].replace(",", "")) for line in table if "more" in line)
    assert hidden + sum("random-" in line for line in table) == count
    assert table[0].startswith("* random-0000")
    assert count < height - 9 or f"random-{count - 1:04x}" in table[-1]


def test_a_trial_that_waits_or_is_started_again_says_so() -> None:
    trials = (trial(5, ConditionType.RUNNING), trial(6, ConditionType.RUNNING))
    run = RunState(
        waiting={"random-0005": "waiting for a GPU"},
        retries={"random-0006": 2},
        note="2 at a time: each trial needs 1 GPU, and this machine has 2 GPUs (nvidia-smi)",
        notice="interrupted: ending 2 trials",
    )
    summary = summary_of(experiment(trials), trials, {}, at(9), run)
    lines = drawn(LiveView(summary, ("12:00:00 first", "12:00:01 second")), 120, 24)

    assert summary.count(TrialState.RUNNING) == 1
    assert lines[4].split()[-5:] == ["waiting", "for", "a", "GPU", "4s"]
    assert lines[5].split()[-4:] == ["running,", "retry", "2", "3s"]
    assert lines[-4:] == [run.note, "12:00:00 first", "12:00:01 second", run.notice]


def test_after_an_interruption_no_trial_runs_and_no_time_moves() -> None:
    trials = mixed_fortunes()
    summary = summary_of(experiment(trials), trials, {}, at(9), RunState(interrupted=True))

    assert [row.state.value for row in summary.rows[5:]] == ["interrupted"] * 3
    assert summary.at(at(99)) == summary
    assert "5/12 trials · 9s · 3 interrupted · 1 failed" in "\n".join(
        drawn(LiveView(summary), 120, 24)
    )


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 20)])
def test_a_long_event_is_wrapped_and_its_end_is_visible(width: int, height: int) -> None:
    trials = mixed_fortunes()
    summary = summary_of(experiment(trials, "random-0001"), trials, MIXED_LATEST, at(9))
    cause = f"can't open file '/{'a-long-folder/' * 30}train.py': No such file or directory"
    messages = ("first event", f"random-0002 retry 1 of 6 in 0.2 s: exit status 2, {cause}")

    lines = drawn(LiveView(summary, messages), width, height)

    assert len(lines) <= height
    assert max(map(cell_len, lines)) <= width
    assert " ".join(lines).endswith("No such file or directory")
    assert any(line.startswith("random-0002 retry 1 of 6") for line in lines)
