"""Records, whole and damaged."""

from __future__ import annotations

from itertools import pairwise
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.event_files.extractor import EventExtractor, event_spec
from filters.event_files.records import LONGEST_RECORD
from filters.extractor import Position
from filters.points import Damage, ExtractedPoint
from tests.filters.event_files.event_writer import beginning, checksum, framed, scalar


def _extractor(position: Position | None = None) -> EventExtractor:
    return event_spec(["loss"]).extractor(position or Position())


def _read(text: bytes) -> tuple[list[str], Damage | None]:
    extractor = _extractor()
    points = extractor.feed(text) + extractor.finish()
    return [point.value for point in points], extractor.damage


def test_a_point_has_its_records_number_bounds_wall_time_and_step() -> None:
    first = beginning()
    text = first + scalar("loss", 0.5, step=400, at=1_638_422_847.25)
    assert _extractor().feed(text) == [
        ExtractedPoint("loss", "0.5", "2021-12-02T05:27:27.25Z", 2, len(first), len(text), 400)
    ]


def test_a_step_below_0_is_no_step() -> None:
    (point,) = _extractor().feed(scalar("loss", 0.5, step=-1))
    assert point.step is None


@pytest.mark.parametrize("wall_time", [float("nan"), float("inf"), 1e300, -1e18])
def test_a_wall_time_that_no_calendar_has_is_left_out(wall_time: float) -> None:
    (point,) = _extractor().feed(scalar("loss", 0.5, at=wall_time))
    assert point.timestamp is None


def test_a_record_with_damaged_data_is_skipped_alone() -> None:
    bad = bytearray(scalar("loss", 2))
    bad[-6] ^= 1
    text = scalar("loss", 1) + bytes(bad) + scalar("loss", 3)
    start = len(scalar("loss", 1))
    values, damage = _read(text)
    assert values == ["1.0", "3.0"]
    assert damage == Damage(start, 2 * start, "the checksum of a record does not fit", 1)


def test_behind_a_damaged_length_the_next_intact_record_is_read() -> None:
    bad = b"\xff" + scalar("loss", 2)[1:]
    values, damage = _read(scalar("loss", 1) + bad + scalar("loss", 3) + scalar("loss", 4))
    assert values == ["1.0", "3.0", "4.0"]
    assert damage == Damage(len(scalar("loss", 1)), None, "the length of a record is damaged", 1)


def test_a_hole_of_zeros_is_passed_quickly() -> None:
    values, damage = _read(scalar("loss", 1) + bytes(3 << 20) + scalar("loss", 2))
    assert values == ["1.0", "2.0"]
    assert damage is not None


def test_a_file_that_ends_within_a_record_is_noted_at_its_end() -> None:
    extractor = _extractor()
    whole = scalar("loss", 1)
    assert [point.value for point in extractor.feed(whole + scalar("loss", 2)[:-1])] == ["1.0"]
    assert extractor.damage is None  # the rest may come
    assert extractor.finish() == []
    end = 2 * len(whole) - 1
    assert extractor.damage == Damage(len(whole), end, "the file ends within a record", 1)


def test_an_intact_record_that_is_no_event_is_noted() -> None:
    values, damage = _read(framed(b"\x0dloss\xff\xff\xff") + scalar("loss", 1))
    assert values == ["1.0"]
    assert damage is not None
    assert damage.why == "a record is not an event"


def test_several_damaged_places_are_one_range_with_their_number() -> None:
    bad = bytearray(scalar("loss", 2))
    bad[-1] ^= 1
    extractor = _extractor()
    extractor.feed(bytes(bad) + scalar("loss", 1) + bytes(bad) + bytes(bad))
    assert extractor.counters.damaged == 3
    assert extractor.damage is not None
    assert (extractor.damage.start, extractor.damage.end) == (0, 4 * len(bad))
    assert str(extractor.damage) == (
        "the checksum of a record does not fit; 2 more places up to here are damaged"
    )


def _long(data: bytes, length: int) -> bytes:
    """Return a record that begins with these bytes and has this length; its checksum is not read."""
    header = pack("<Q", length)
    return header + checksum(header) + data.ljust(length, b"\0") + b"----"


def test_a_summary_that_is_too_long_is_skipped_and_noted() -> None:
    text = _long(scalar("loss", 9)[12:-4], LONGEST_RECORD + 1)
    values, damage = _read(scalar("loss", 1) + text + scalar("loss", 2))
    assert values == ["1.0", "2.0"]
    assert damage is not None
    assert "1048577 bytes, and at most 1048576 are read" in damage.why


def test_a_graph_that_is_too_long_is_skipped_without_a_note() -> None:
    graph = b"\x09" + bytes(8) + b"\x22" + bytes(40)
    values, damage = _read(_long(graph, LONGEST_RECORD * 3) + scalar("loss", 2))
    assert values == ["2.0"]
    assert damage is None


def test_a_record_of_4_gib_is_skipped_byte_for_byte_without_being_held() -> None:
    header = pack("<Q", 4 << 30)
    start = header + checksum(header) + scalar("loss", 9)[12:-4].ljust(64, b"\0")
    extractor = _extractor()
    extractor.feed(scalar("loss", 1) + start)
    left = extractor.position.skip
    assert left == (4 << 30) + 16 - len(start)
    extractor.feed(bytes(1 << 20))
    assert extractor.position.skip == left - (1 << 20)
    assert extractor.position.lines.offset == len(scalar("loss", 1)) + len(start) + (1 << 20)


def _hostile() -> bytes:
    bad_data, bad_length = bytearray(scalar("loss", 2)), bytearray(scalar("loss", 3))
    bad_data[-6] ^= 1
    bad_length[3] ^= 1
    return b"".join(
        [
            beginning(),
            scalar("loss", 1),
            bytes(bad_data),
            scalar("other", 7),
            bytes(bad_length),
            bytes(50),
            scalar("loss", 8)[:9] + b"?" + scalar("loss", 8)[10:],
            scalar("loss", 4),
            _long(scalar("loss", 9)[12:-4], LONGEST_RECORD + 1)[:2000],
            bytes(LONGEST_RECORD + 17 - 2000),
            scalar("loss", 5),
            scalar("loss", 6)[:-3],
        ]
    )


_HOSTILE = _hostile()
_NEAR = [len(_HOSTILE) - 200 + i for i in range(0, 200, 7)]


@given(st.lists(st.one_of(st.integers(0, 600), st.sampled_from(_NEAR)), max_size=12))
def test_points_do_not_depend_on_chunks_nor_on_where_extraction_continued(cuts: list[int]) -> None:
    borders = [0, *sorted(cuts), len(_HOSTILE)]
    at_once = _extractor().feed(_HOSTILE)
    assert [point.value for point in at_once] == ["1.0", "4.0", "5.0"]
    chunked, in_chunks = _extractor(), []
    continued, position = [], Position()
    for start, end in pairwise(borders):
        in_chunks += chunked.feed(_HOSTILE[start:end])
        fresh = _extractor(position)
        continued += fresh.feed(_HOSTILE[position.lines.offset : end])
        position = fresh.position
    assert in_chunks == at_once
    assert continued == at_once


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_an_error(text: bytes) -> None:
    extractor = _extractor()
    extractor.feed(text)
    extractor.finish()
    assert extractor.counters.bytes == len(text)
