"""Hostile logs and patterns: bounded time and memory, right answers, complete counters."""

from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Sequence

import pytest

from api.errors import UserError
from api.types import LogFormat
from filters.extractor import Extractor, extraction_spec
from filters.near_misses import NearMisses
from trialwatch.output.extraction_summary import summary

KATIB_DEFAULT = r"([\w|-]+)\s*=\s*([+-]?\d*(\.\d+)?([Ee][+-]?\d+)?)"
MIB = 1 << 20


def read(extractor: Extractor, stream: bytes) -> list[tuple[str, str, int]]:
    found = []
    for start in range(0, len(stream), 1 << 18):
        found += extractor.feed(stream[start : start + (1 << 18)])
    return [(point.name, point.value, point.line) for point in found + extractor.finish()]


ORDINARY = {
    LogFormat.TEXT: b"step 17: loss=0.25, ll=-1.5\n",
    LogFormat.JSON: b'{"step": 17, "loss": 0.25, "ll": -1.5}\n',
}


def cost(stream: bytes, log_format: LogFormat, patterns: Sequence[str] = ()) -> float:
    """Return the seconds of CPU that a MiB takes: the least of three, as other work only adds."""

    def once() -> float:
        extractor = Extractor(extraction_spec(["loss", "ll"], log_format, patterns))
        start = time.thread_time()
        read(extractor, stream)
        return time.thread_time() - start

    return min(once() for _ in range(3)) / len(stream) * MIB


@pytest.fixture(scope="module")
def ordinary() -> dict[LogFormat, float]:
    """What a MiB of lines that all have metrics takes on this machine, by format."""
    return {form: cost(line * (MIB // len(line)), form) for form, line in ORDINARY.items()}


@pytest.mark.parametrize("patterns", [[], [KATIB_DEFAULT]], ids=["by name", "by pattern"])
def test_a_megabyte_of_word_before_the_metric_hides_nothing(patterns: list[str]) -> None:
    extractor = Extractor(extraction_spec(["loss"], patterns=patterns))
    assert read(extractor, b"a" * MIB + b" loss=0.5\n") == [("loss", "0.5", 1)]
    assert extractor.counters.cut_lines == 1


@pytest.mark.parametrize(
    "hostile",
    [
        b"loss" + b"'" * MIB, (b"loss" + b" " * 1000) * 1000, b"loss" * (MIB // 4), b"loss=" + b"1" * MIB,
        b"loss=" + b"1," * (MIB // 2), b"\x1b]" * (MIB // 2), b"\x1b[" + b"0;" * (MIB // 2), b"a  loss  b\n" + b"x  " * 9999,
        b"\r" * MIB, b"x\n" * (MIB // 2), b"\x00" * MIB, b"\xff" * MIB, b"loss=1" + b"0" * MIB + b"e", b"[" * MIB,
        b"tep" * (MIB // 3), b" step 1 " * (MIB // 8), b"poch" * (MIB // 4), b"loss:" + b"(" * MIB, b"l" * MIB, b"2026-11-23T00:00:00." + b"0" * MIB,
    ],
    ids=lambda hostile: repr(hostile[:12]),
)  # fmt: skip
@pytest.mark.parametrize("log_format", LogFormat)
def test_no_text_takes_more_than_linear_time(
    hostile: bytes, log_format: LogFormat, ordinary: dict[LogFormat, float]
) -> None:
    """A cost that grew with the square of a line would be thousands of times the ordinary one."""
    assert cost(hostile, log_format) < 2 * ordinary[log_format]


@pytest.mark.parametrize(
    "pattern", [r"((a+)+)+$(b)", r"((a|aa)+)(b)$", r"(.*.*.*=)(.*)", KATIB_DEFAULT]
)
def test_a_pattern_known_for_exponential_time_is_linear_in_re2(
    pattern: str, ordinary: dict[LogFormat, float]
) -> None:
    stream = b"loss " + b"a" * MIB
    assert cost(stream, LogFormat.TEXT, [pattern]) < 2 * ordinary[LogFormat.TEXT]


def test_a_pattern_outside_re2_is_stopped_and_counted_line_by_line() -> None:
    extractor = Extractor(extraction_spec(["loss"], patterns=[r"(?!x)(loss)=((a|aa)+)$"]))
    stream = b"loss=" + b"a" * 60 + b"b\nloss=aa\n"
    assert read(extractor, stream) == [("loss", "aa", 2)]
    assert extractor.counters.timed_out == 1


def test_a_line_that_costs_a_pattern_too_much_is_skipped_counted_and_reported() -> None:
    """A pattern of 13 KB took 32 s for a line of 30 KB."""
    spec = extraction_spec(["loss"], patterns=["(loss)=([0-9]+)", "(loss)=([0-9]+)" + "x?" * 6000])
    extractor = Extractor(spec)
    stream = b"loss=1 " + b"y" * 30_000 + b" loss=2\nloss=3\n"
    assert read(extractor, stream) == [("loss", "3", 2), ("loss", "3", 2)]
    assert extractor.counters.timed_out == 1
    text = summary(extractor.counters, spec, NearMisses(["loss"]))
    assert "1 line skipped, because a pattern takes too long there" in text


@pytest.mark.parametrize(
    ("metrics", "patterns", "words"),
    [
        (["loss"], ["(a)(b)"] * 101, "101 metricsFormats: 100 are allowed"),
        (["loss"], ["(a)(b)" + "x" * 400] * 90, "36540 characters in all metricsFormats"),
        ([f"m{number}" for number in range(1002)], [], "1002 metrics: 1001 are allowed"),
        (["m" * 1025], [], "1025 characters in a metric name: 1024 are allowed"),
    ],
)
def test_too_many_metrics_or_patterns_are_refused_before_any_is_compiled(
    metrics: list[str], patterns: list[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("filters.pattern.compile_pattern")
    with pytest.raises(UserError, match=words):
        extraction_spec(metrics, patterns=patterns)


def test_a_line_of_64_mib_is_searched_in_little_memory() -> None:
    extractor = Extractor(extraction_spec(["loss"]))
    block = b"x" * (1 << 18)
    tracemalloc.start()
    found = [point for _ in range(256) for point in extractor.feed(block)]
    found += extractor.feed(b" loss=0.5\nloss=0.25") + extractor.finish()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(point.value, point.line) for point in found] == [("0.5", 1), ("0.25", 2)]
    assert peak < 8 * MIB


def test_a_cut_splits_no_number_if_a_separator_is_near() -> None:
    line = b"".join(b"loss=0.%04d," % number for number in range(200_000))
    found = read(Extractor(extraction_spec(["loss"])), line)
    assert [value for _, value, _ in found] == [f"0.{number:04d}" for number in range(200_000)]


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"", []),
        (b"loss=0.5", [("loss", "0.5", 1)]),
        (b"\x00loss=0.5\x00\n", [("loss", "0.5", 1)]),
        (b"\xff\xfeloss=0.5\xff\n", [("loss", "0.5", 1)]),
        (b"\xed\xa0\x80 loss=0.5\n", [("loss", "0.5", 1)]),
        (b"loss=1,234.5\n", [("loss", "1234.5", 1)]),
        (b"loss=nan\nloss=inf\n", [("loss", "nan", 1), ("loss", "inf", 2)]),
        (b"\x1b[31mloss\x1b[0m=\x1b[1m0.5\x1b[0m\n", [("loss", "0.5", 1)]),
        (b"\n\r\n\rloss=0.5", [("loss", "0.5", 4)]),
    ],
)
def test_odd_bytes_are_data(stream: bytes, expected: list[tuple[str, str, int]]) -> None:
    assert read(Extractor(extraction_spec(["loss"])), stream) == expected


@pytest.mark.parametrize("metrics", [[], [""], [" "], ["a\nb"], ["\x1b[0m"], ["\udc80"]], ids=repr)
def test_metric_names_that_cannot_occur_in_a_line_are_refused(metrics: list[str]) -> None:
    with pytest.raises(UserError):
        extraction_spec(metrics)


def test_patterns_for_a_json_log_are_refused_with_the_remedy() -> None:
    with pytest.raises(UserError, match="set the format to TEXT"):
        extraction_spec(["loss"], LogFormat.JSON, ["(a)(b)"])


def test_a_log_of_random_bytes_is_read_to_its_end() -> None:
    stream = random.Random(7).randbytes(MIB)
    extractor = Extractor(extraction_spec(["loss", "é"]))
    read(extractor, stream)
    assert extractor.counters.bytes == MIB
