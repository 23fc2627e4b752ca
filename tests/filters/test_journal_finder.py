"""The journal's lines: what is written is read again, and a torn line has no points."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.types import LogFormat
from filters.extractor import ExtractionSpec, Extractor
from filters.journal_finder import JournalPoint, journal_lines

_NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def read(lines: bytes, *metrics: str) -> list[tuple[str, str, str | None]]:
    spec = ExtractionSpec(metrics=metrics, log_format=LogFormat.TEXT, patterns=(), journal=True)
    extractor = Extractor(spec)
    found = extractor.feed(lines) + extractor.finish()
    return [(point.name, point.value, point.timestamp) for point in found]


@given(name=_NAMES, value=st.text(st.characters(exclude_categories=["Cs"])))
def test_any_name_and_value_comes_back(name: str, value: str) -> None:
    point = JournalPoint(name, value, timestamp="2026-01-02T03:04:05Z")
    lines = b"".join(journal_lines([point]))
    assert read(lines, name) == [(name, value, "2026-01-02T03:04:05Z")]


def test_the_points_of_a_call_are_one_line_and_metrics_not_asked_for_are_skipped() -> None:
    [line] = journal_lines(
        [JournalPoint("loss", "0.3"), JournalPoint("lr", "1"), JournalPoint("acc", "2")]
    )
    assert read(line, "loss", "acc") == [("loss", "0.3", None), ("acc", "2", None)]


def test_a_very_large_call_is_cut_between_points() -> None:
    points = [JournalPoint("m" * 1000, str(number)) for number in range(2000)]
    lines = list(journal_lines(points))
    assert max(map(len, lines)) < 1 << 20
    assert [value for _, value, _ in read(b"".join(lines), "m" * 1000)] == [p.value for p in points]


@pytest.mark.parametrize(
    "torn",
    [
        b'[["loss","0.',
        b'[["loss","0.3"]]',
        b"[3]",
        b'{"loss": 0.3}',
        b"loss=0.3",
        b"\xff",
        b"[" * 90_000,
    ],
)
def test_a_torn_line_has_no_points_and_does_not_hide_the_next_one(torn: bytes) -> None:
    [line] = journal_lines([JournalPoint("loss", "7")])
    assert read(torn + b"\n\n" + line, "loss") == [("loss", "7", None)]
