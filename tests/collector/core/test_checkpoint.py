"""The checkpoint: written, read again, or refused."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import SetupError
from collector.core.checkpoint import Attempt, Checkpoint
from collector.streams.stream_position import StreamPosition
from filters.tables import TableHeader  # for hypothesis, which looks at annotations

_KNOWN = TableHeader


@given(st.builds(Checkpoint, attempt=st.none() | st.builds(Attempt)))
def test_a_checkpoint_is_read_as_it_was_written(checkpoint: Checkpoint) -> None:
    assert Checkpoint.from_json(checkpoint.to_json()) == checkpoint


def test_a_checkpoint_of_an_earlier_version_has_no_skipped_bytes() -> None:
    checkpoint = Checkpoint(
        attempt=Attempt(number=1, source="a", places={"out": StreamPosition(finished=True)})
    )
    text = checkpoint.to_json()
    assert Checkpoint.from_json(text.replace(b', "skip": 0', b"")) == checkpoint
    assert b"skip" in text


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"version": 2, "attempt": null}',
        b'{"version": 1}',
        b'{"version": 1, "attempt": {}}',
        b'{"version": 1, "attempt": null, "more": 1}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_other_texts_are_refused_with_the_remedy(text: bytes) -> None:
    with pytest.raises(SetupError, match="a run directory of its own"):
        Checkpoint.from_json(text)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    with contextlib.suppress(SetupError):
        Checkpoint.from_json(text)
