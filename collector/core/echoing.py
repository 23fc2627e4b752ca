"""Showing the trainer's lines, without a delay for anything else."""

from __future__ import annotations

from collector.core.ports import Echo
from collector.streams.stream import Stream
from collector.streams.stream_position import Place

MOST_BEHIND = 16 << 20
"""Bytes. A reader of our output who is slower than that misses some; disk use stays bounded."""
_AT_ONCE = 1 << 16


class Mirror:
    """How far each stream of an attempt has been shown."""

    def __init__(self, echo: Echo | None) -> None:
        """Show lines there; nowhere with None."""
        self._echo = echo
        self._shown: dict[str, tuple[int, int]] = {}

    def show(self, stream: Stream, place: Place, *, over: bool) -> None:
        """Pass on what there is behind what was shown, as far as there is room for it.

        Only whole lines, so that those of two streams are not mixed, but where a line is long, or
        `over`: the stream ends here.
        """
        if self._echo is None:
            return
        serial = place.generation.serial
        known, offset = self._shown.get(stream.name, (serial, place.offset))
        if known != serial:
            offset = 0
        if place.offset - offset > MOST_BEHIND:
            offset = place.offset
        while room := min(self._echo.room(), _AT_ONCE):
            data = stream.peek(place, offset, room)
            if not over and len(data) < _AT_ONCE:
                data = data[: 1 + max(data.rfind(b"\n"), data.rfind(b"\r"))]
            if not data:
                break
            self._echo.write(data)
            offset += len(data)
        self._shown[stream.name] = serial, offset

    def offset(self, stream: Stream, place: Place) -> int:
        """Return up to where a stream is neither to be read nor to be shown any more."""
        if self._echo is None:
            return place.offset
        serial, offset = self._shown.get(stream.name, (place.generation.serial, place.offset))
        return min(offset, place.offset) if serial == place.generation.serial else 0
