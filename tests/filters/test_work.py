"""How much work a log takes: counted in calls of functions, so that a busy machine changes nothing.

Extraction is fast because Python does nothing for a line without a metric. A call for each line
makes it ten times slower. `make bench` measures the time.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

import pytest

from api.types import LogFormat
from bench.logs import every_line, one_line_in_a_hundred, seeds_format
from bench.reference import SEEDS
from filters.extractor import ExtractionSpec, Extractor, extraction_spec
from filters.name_matcher import NameMatcher
from tests.call_counts import calls_of

Line = Callable[[random.Random, int], str]
NAMES = ["loss", "accuracy", "val_loss"]
LINES = 2_000
CHUNK = 1 << 16


def log_of(line: Line, lines: int) -> bytes:
    dice = random.Random(1)
    return "".join(line(dice, number) for number in range(1, lines + 1)).encode()


def calls_for(spec: ExtractionSpec, log: bytes) -> int:
    extractor = Extractor(spec)

    def extract() -> None:
        for start in range(0, len(log), CHUNK):
            extractor.feed(log[start : start + CHUNK])
        extractor.finish()

    return calls_of(extract)


def calls_a_line(spec: ExtractionSpec, line: Line) -> float:
    """Return the calls that each further line takes, on the average."""
    few, many = (calls_for(spec, log_of(line, lines)) for lines in (LINES, 3 * LINES))
    return (many - few) / (2 * LINES)


@pytest.mark.parametrize("names", [NAMES, [*NAMES, *(f"metric_{n}" for n in range(17))]], ids=len)
def test_a_line_without_a_metric_takes_no_call(names: Sequence[str]) -> None:
    """One line in a hundred has two metrics: its calls are shared by a hundred lines."""
    assert calls_a_line(extraction_spec(names), one_line_in_a_hundred) < 0.6


def test_a_line_of_metrics_takes_some_calls_for_each_point() -> None:
    assert calls_a_line(extraction_spec(NAMES), every_line) < 25


def test_a_line_for_a_pattern_takes_some_calls_for_each_match() -> None:
    assert calls_a_line(extraction_spec(NAMES, patterns=[SEEDS]), seeds_format) < 120


def test_a_line_without_an_object_takes_no_call() -> None:
    spec = extraction_spec(NAMES, LogFormat.JSON)

    assert calls_a_line(spec, one_line_in_a_hundred) < 1


def test_the_search_for_a_name_is_a_search_for_a_literal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`re` finds literals by memchr and a table; with any other beginning it tries each byte."""
    patterns: list[bytes] = []
    compile_ = re.compile

    def noting(pattern: bytes) -> object:
        patterns.append(pattern)
        return compile_(pattern)

    monkeypatch.setattr(re, "compile", noting)
    NameMatcher(["val/loss"])
    monkeypatch.undo()
    (pattern,) = patterns
    re.compile(pattern, re.DEBUG)

    program = capsys.readouterr().out
    assert "prefix_skip 8" in program
    assert "('val/loss')" in program
