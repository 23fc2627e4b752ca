"""Copies the trainer's lines to the collector's output, without delay for the delivery."""

from __future__ import annotations

from collector.core.ports import EchoOutput
from collector.streams.stream import Stream
from collector.streams.stream_position import StreamPosition

MOST_BEHIND = 16 << 20
"""Bytes. A reader of the output that is further behind misses lines; so disk use is bounded."""
_AT_ONCE = 1 << 16


class EchoProgress:
    """How far each stream of an attempt is copied to the output."""

    def __init__(self, echo: EchoOutput | None) -> None:
        """Write to `echo`; with None write nothing."""
        self._echo = echo
        self._shown: dict[str, tuple[int, int]] = {}

    def show(self, stream: Stream, position: StreamPosition, *, over: bool) -> None:
        """Write the bytes that follow those already written, as far as there is room.

        It writes whole lines, so that lines of two streams do not mix. Exceptions: a line of more
        than `_AT_ONCE` bytes, and, with `over`, the end of the stream.
        """
        if self._echo is None:
            return
        serial = position.generation.serial
        known, offset = self._shown.get(stream.name, (serial, position.offset))
        if known != serial:
            offset = 0
        if position.offset - offset > MOST_BEHIND:
            offset = position.offset
        while room := min(self._echo.room(), _AT_ONCE):
            data = stream.peek(position, offset, room)
            if not over and len(data) < _AT_ONCE:
                data = data[: 1 + max(data.rfind(b"\n"), data.rfind(b"\r"))]
            if not data:
                break
            self._echo.write(data)
            offset += len(data)
        self._shown[stream.name] = serial, offset

    def offset(self, stream: Stream, position: StreamPosition) -> int:
        """Return the offset before which a stream's bytes are delivered and written."""
        if self._echo is None:
            return position.offset
        serial, offset = self._shown.get(stream.name, (position.generation.serial, position.offset))
        return min(offset, position.offset) if serial == position.generation.serial else 0
