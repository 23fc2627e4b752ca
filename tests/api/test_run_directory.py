from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import RemoteError
from api.run_directory import AttemptRecord, ExitRecord, FileBorder

_counts = st.integers(0, 2**63)
_times = st.floats(0, 1e10)
_borders = st.builds(FileBorder, inode=_counts, size=_counts, tail=st.binary(max_size=64))
_attempts = st.builds(
    AttemptRecord, number=st.integers(1), started=_times, file=st.none() | _borders
)
_exits = st.builds(
    ExitRecord,
    attempt=st.integers(1),
    status=st.none() | st.integers(0, 255),
    signal=st.none() | st.integers(1, 64),
    ended=_times,
    leftovers=_counts,
    complete=st.booleans(),
    cause=st.none() | st.text(),
    stopped=st.booleans(),
)


@given(_attempts)
def test_an_attempt_is_read_as_it_was_written(record: AttemptRecord) -> None:
    assert AttemptRecord.from_json(record.to_json()) == record


@given(_exits)
def test_an_exit_is_read_as_it_was_written(record: ExitRecord) -> None:
    assert ExitRecord.from_json(record.to_json()) == record


@given(_attempts)
def test_a_record_is_one_line(record: AttemptRecord) -> None:
    assert record.to_json().count(b"\n") == 1


@pytest.mark.parametrize("text", [b"", b"7", b"null", b"[]", b"{}", b'{"attempt": "x"}', b"\xff"])
def test_what_is_no_record_is_refused_with_its_text(text: bytes) -> None:
    with pytest.raises(RemoteError, match="the launcher's attempt record is invalid"):
        AttemptRecord.from_json(text)
    with pytest.raises(RemoteError, match="the launcher's exit record is invalid"):
        ExitRecord.from_json(text)
