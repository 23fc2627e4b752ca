"""`trialwatch.tune` of a script on a terminal: the table of the command line, and its Ctrl-C."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trialwatch.terminal import Terminal

SCRIPT = """
import time, trialwatch

def train(lr):
    trialwatch.report(loss=lr)
    if lr > 0.2:
        time.sleep(600)

result = trialwatch.tune(train, {"lr": [0.1, 0.5]}, minimize="loss", algorithm="grid")
print("the result:", result.state, result.best.parameters)
"""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    (tmp_path / "search.py").write_text(SCRIPT)
    made = Terminal(tmp_path)
    yield made
    made.close()


def test_a_table_shows_the_search_and_ctrl_c_returns_the_result_so_far(terminal: Terminal) -> None:
    terminal.start_python("search.py")
    shown = terminal.wait_for(lambda lines: "1/2 trials" in "\n".join(lines))
    assert shown[0].startswith("train-")

    terminal.press("C-c")

    lines = terminal.wait_for(lambda lines: "the result: interrupted" in "\n".join(lines))
    assert "the result: interrupted {'lr': 0.1}" in lines
