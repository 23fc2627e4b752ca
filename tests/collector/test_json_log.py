"""The collector's own messages among the lines of a trainer."""

from __future__ import annotations

import json

import pytest

from api.sidecar_values import LogLevel
from collector.json_log import PREFIX, JsonLog


def written(level: LogLevel, capsys: pytest.CaptureFixture[str]) -> list[str]:
    log = JsonLog(level)
    log.note("usual")
    log.write("look at this")
    log.fail("nothing is collected")
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith(PREFIX) for line in lines)
    return [json.loads(line.removeprefix(PREFIX))["message"] for line in lines]


def test_by_default_only_what_a_person_should_look_at_is_logged(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert written(LogLevel.WARNING, capsys) == ["look at this", "nothing is collected"]


@pytest.mark.parametrize(
    ("level", "count"), [(LogLevel.DEBUG, 3), (LogLevel.INFO, 3), (LogLevel.ERROR, 1)]
)
def test_a_level_hides_the_messages_below_it(
    level: LogLevel, count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(written(level, capsys)) == count


def test_a_line_has_its_level(capsys: pytest.CaptureFixture[str]) -> None:
    JsonLog().write("look at this")

    line = json.loads(capsys.readouterr().err.removeprefix(PREFIX))
    assert line.keys() == {"time", "level", "message"}
    assert line["level"] == "warning"
