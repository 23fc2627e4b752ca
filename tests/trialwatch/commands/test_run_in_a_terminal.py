"""`trialwatch run` in a real terminal: the times move, a resize leaves nothing torn."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from api.objects.yamlout import dump_objects
from tests.runner.experiment_runs import experiment
from tests.trialwatch.terminal import Terminal

SCRIPT = "echo loss=${trialParameters.lr} acc=1; until [ -e go ]; do sleep 0.05; done; echo acc=0.5"
OBJECTIVE = {
    "type": "minimize",
    "objectiveMetricName": "loss",
    "additionalMetricNames": ["acc"],
    "metricStrategies": [
        {"name": "loss", "value": "min"},
        {"name": "acc", "value": "latest"},
    ],
}


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal in which an experiment of two trials runs until the file `go` exists."""
    made = Terminal(tmp_path)
    try:
        document = experiment(
            command=["sh", "-c", SCRIPT], maxTrialCount=2, objective=OBJECTIVE, name="resized"
        )
        (tmp_path / "e.yaml").write_text(dump_objects([document]))
        made.start("run", "e.yaml")
        made.wait_for(lambda lines: sum(" running " in line for line in lines) >= 2)
        yield made
    finally:
        made.close()


def clock(lines: list[str]) -> str:
    """Return the time of the whole run."""
    return "".join(re.findall(r"/2 trials · (\w+)", "\n".join(lines)))


def shows_another_clock(before: str, lines: list[str]) -> bool:
    return clock(lines) not in ("", before)


def test_the_times_move_while_the_trials_say_nothing(terminal: Terminal) -> None:
    first = clock(terminal.shown())
    second = clock(terminal.wait_for(lambda lines: clock(lines) != first))

    assert clock(terminal.wait_for(lambda lines: clock(lines) not in (first, second)))


def test_a_resize_leaves_no_rests_of_the_old_table(terminal: Terminal, tmp_path: Path) -> None:
    for width, height in ((60, 20), (120, 40), (40, 12), (100, 30)):
        terminal.resize(width, height)
        # One drawing may have begun before the resize; the second one has not.
        lines = terminal.shown()
        for _ in range(2):
            lines = terminal.wait_for(partial(shows_another_clock, clock(lines)))

        kinds = [re.sub(r"-\w{8}.*|[ ━╸]*0/2 trials.*", "", line) for line in lines]
        assert kinds[0].startswith("resized: minimize loss, by random")
        assert kinds[1].startswith("trial ")
        assert set(kinds[2].split()) == ({"min", "latest"} if width > 60 else {"min"})
        assert set(kinds[3]) == {"─"}
        assert kinds[4:] == ["  resized", "  resized", "", "", "no trial has ended yet"]
        assert max(map(len, lines)) <= width

    (tmp_path / "go").touch()
    ended = terminal.wait_for(lambda lines: any("report: " in line for line in lines))
    assert sum(line.startswith("trial ") for line in ended) == 1
    assert any(re.fullmatch(r"  acc   0\.5  \(latest\)", line) for line in ended)


def test_ctrl_c_shows_what_is_ended_and_then_what_goes_on(terminal: Terminal) -> None:
    terminal.press("C-c")
    lines = terminal.wait_for(lambda lines: any("to continue:" in line for line in lines))
    text = "\n".join(lines)

    assert "experiment resized was interrupted; to continue: trialwatch run e.yaml" in text
    assert "2 trials: 2 interrupted, in " in text
    assert len(re.findall(r"^  resized-\w+ .* interrupted ", text, re.MULTILINE)) == 2
    assert " running" not in text
