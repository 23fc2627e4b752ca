"""The points do not depend on how a stream is cut into chunks, nor on where extraction continues."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.types import LogFormat
from filters import lines
from filters.extractor import Extractor, extraction_spec

if TYPE_CHECKING:
    from filters.extractor import ExtractionSpec
    from filters.points import ExtractedPoint

METRICS = ("loss", "val/acc", "a.b")
READINGS = {
    "text": extraction_spec(METRICS),
    "patterns": extraction_spec(METRICS, patterns=[r"([\w./]+)\s*=\s*(\S*)", r"(?m)^(loss)(.*)$"]),
    "json": extraction_spec(METRICS, LogFormat.JSON),
}
SNIPPETS = [
    b"loss=0.5", b"loss: 1,234.5", b"val/acc", b"=", b": ", b"nan", b"\n", b"\r", b"\r\n", b"\x1b[1m",
    b"\x1b]0;title\x07", b"\x1b", b"[", b"2026-11-23T10:00:00Z ", b"epoch  loss  time\n", b"0  0.5  00:12\n",
    b'{"loss": 0.5, "a": {"b": "1"}}', b'"timestamp": 1.5', b"\xff", b"\xc3\xa9", b"\x00", b"a.b=1e-3", b" ",
    b"epoch 3 ", b"step=7/9 ", b"Epoch 3/10\n", b"Step 4:\n", b'"step": 8, ', b"iter: 5",
]  # fmt: skip
streams = st.lists(st.one_of(st.sampled_from(SNIPPETS), st.binary(max_size=4)), max_size=40).map(
    b"".join
)
cuts = st.lists(st.integers(0, 400), max_size=12)


def in_one_piece(wanted: ExtractionSpec, stream: bytes) -> tuple[list[ExtractedPoint], Extractor]:
    extractor = Extractor(wanted)
    return extractor.feed(stream) + extractor.finish(), extractor


def pieces(stream: bytes, places: list[int]) -> list[bytes]:
    borders = [0, *sorted(place for place in places if place < len(stream)), len(stream)]
    return [stream[start:end] for start, end in pairwise(borders)]


@pytest.mark.parametrize("wanted", READINGS.values(), ids=READINGS)
@given(stream=streams, places=cuts)
def test_the_chunks_do_not_change_the_points(
    wanted: ExtractionSpec, stream: bytes, places: list[int]
) -> None:
    whole, reference = in_one_piece(wanted, stream)
    extractor = Extractor(wanted)
    found = [point for piece in pieces(stream, places) for point in extractor.feed(piece)]
    assert found + extractor.finish() == whole
    assert extractor.counters == reference.counters
    assert extractor.position == reference.position


@pytest.mark.parametrize("wanted", READINGS.values(), ids=READINGS)
@given(stream=streams, place=st.integers(0, 400))
def test_an_extractor_that_continues_at_a_position_finds_the_rest(
    wanted: ExtractionSpec, stream: bytes, place: int
) -> None:
    whole, _ = in_one_piece(wanted, stream)
    first = Extractor(wanted)
    before = first.feed(stream[:place])
    second = Extractor(wanted, first.position)
    after = second.feed(stream[first.position.lines.offset :])
    assert before + after + second.finish() == whole


@given(stream=streams, places=cuts)
def test_a_long_line_is_cut_at_the_same_places_for_all_chunks(
    stream: bytes, places: list[int]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "LONGEST_LINE", 24)
        patch.setattr(lines, "_LOOK_BACK", 8)
        wanted = READINGS["text"]
        whole, reference = in_one_piece(wanted, stream)
        extractor = Extractor(wanted)
        found = [point for piece in pieces(stream, places) for point in extractor.feed(piece)]
        assert found + extractor.finish() == whole
        assert extractor.counters == reference.counters


@given(stream=streams)
def test_byte_ranges_are_the_lines_of_the_stream(stream: bytes) -> None:
    found, extractor = in_one_piece(READINGS["text"], stream)
    spans = [match.span(1) for match in re.finditer(rb"([^\r\n]*)(\r\n|\r|\n|\Z)", stream)]
    for point in found:
        assert spans[point.line - 1] == (point.start, point.end)
    assert extractor.counters.lines == len(re.findall(rb"\r\n|\r|\n", stream))


def test_a_progress_bar_shows_its_point_before_its_next_step() -> None:
    extractor = Extractor(READINGS["text"])
    assert [point.value for point in extractor.feed(b"loss=0.5\r")] == ["0.5"]
    assert extractor.feed(b"\n") == []
    assert [(p.value, p.line) for p in extractor.feed(b"loss=0.4\n")] == [("0.4", 2)]


def test_a_position_after_a_carriage_return_skips_its_newline() -> None:
    extractor = Extractor(READINGS["text"])
    extractor.feed(b"loss=0.5\r")
    taken_up = Extractor(READINGS["text"], replace(extractor.position))
    assert [point.line for point in taken_up.feed(b"\nloss=1\n")] == [2]
