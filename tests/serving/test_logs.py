"""The log has one JSON object on each line, from every library that logs."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from serving.logs import PlainLines, get_logger, start_logging


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    start_logging(stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_the_keywords_of_a_call_are_fields_of_its_line(stream: io.StringIO) -> None:
    get_logger("a.b").info("listening on 100%s", address="[::]:1", name="n", level_count=2)

    (line,) = lines(stream)
    assert line.pop("time").endswith("Z")
    assert list(line.items()) == [
        ("level", "info"),
        ("message", "listening on 100%s"),
        ("logger", "a.b"),
        ("address", "[::]:1"),
        ("name", "n"),
        ("level_count", 2),
    ]


def test_a_library_that_uses_the_standard_logger_has_the_same_form(stream: io.StringIO) -> None:
    logging.getLogger("lib").warning("tried %d times", 3)

    (line,) = lines(stream)
    assert (line["level"], line["message"], line["logger"]) == ("warning", "tried 3 times", "lib")


def test_an_exception_has_its_trace_in_the_same_line(stream: io.StringIO) -> None:
    try:
        int("why")
    except ValueError:
        get_logger("a").exception("internal error", uid="u")

    (line,) = lines(stream)
    assert (line["level"], line["uid"]) == ("error", "u")
    assert line["trace"].endswith("literal for int() with base 10: 'why'")


def test_a_record_below_the_level_is_not_written(stream: io.StringIO) -> None:
    get_logger("a").debug("detail", size=1)

    assert lines(stream) == []


def test_a_plain_line_has_the_message_and_its_cause_for_a_person() -> None:
    record = logging.LogRecord("a", logging.WARNING, "", 0, "cannot reach the database", None, None)
    record.fields = {"cause": "connection refused", "try": 2}

    line = PlainLines("trialwatch run").format(record)

    assert line == "trialwatch run: cannot reach the database: connection refused: try=2"
