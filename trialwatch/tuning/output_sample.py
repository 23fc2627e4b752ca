"""The start and the end of an output: enough for its metrics, however long it is."""

from __future__ import annotations

PART = 1 << 20
"""Bytes of the start, and as many of the end."""


class OutputSample:
    """Takes an output in chunks, and keeps whole lines of its start and of its end."""

    def __init__(self, part: int = PART) -> None:
        """Keep `part` bytes of the start and of the end; of a shorter output, everything."""
        self._part = part
        self._start, self._end = bytearray(), bytearray()
        self._dropped = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        room = max(self._part - len(self._start), 0)
        self._start += chunk[:room]
        self._end += chunk[room:]
        surplus = len(self._end) - 2 * self._part
        if surplus > 0:  # in large pieces, so that the cost stays linear
            self._drop(surplus + self._part)

    @property
    def text(self) -> bytes:
        """The output that is kept."""
        end = self._end[-self._part :]
        if not self._dropped and len(end) == len(self._end):
            return bytes(self._start + end)
        start = self._start[: self._start.rfind(b"\n") + 1] or self._start + b"\n"
        return bytes(start + end[end.find(b"\n") + 1 :])

    @property
    def length(self) -> int:
        """How many bytes the output has."""
        return len(self._start) + self._dropped + len(self._end)

    def _drop(self, count: int) -> None:
        del self._end[:count]
        self._dropped += count


def sample_of(output: bytes) -> OutputSample:
    """Return the sample of a whole output."""
    sample = OutputSample(PART)
    sample.feed(output)
    return sample
