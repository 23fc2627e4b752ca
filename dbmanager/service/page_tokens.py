"""Where a reader goes on: the tokens of `Read` and `Watch`, as text.

A token is a position and a check sum of what was asked; with another question it is refused, since
the position would mean nothing there. The text is no secret and no promise: callers hand it back.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from api.errors import UserError
from api.faults import quoted

_NUMBER = re.compile(r"-?[0-9]{1,19}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Writes and reads the tokens of one question."""

    field: str
    """The request's field that a token comes in."""
    question: tuple[object, ...]
    """All that must be the same when the token comes back; JSON can write it."""

    def written(self, *position: int) -> str:
        """Write a position."""
        return ".".join((*map(str, position), self._sum()))

    def read(self, token: str, length: int) -> tuple[int, ...] | None:
        """Return the position, of so many numbers; None where there is no token.

        Raises:
            UserError: it is not one of ours, or came with another question.
        """
        if not token:
            return None
        *position, check = token.split(".")
        if len(position) != length or not all(_NUMBER.fullmatch(part) for part in position):
            raise UserError(f"{self.field}: {quoted(token)} is no token of this server's")
        if check != self._sum():
            raise UserError(
                f"{self.field}: {quoted(token)} belongs to another question;"
                " leave all else as it was, or start without a token"
            )
        return _numbers(position)

    def _sum(self) -> str:
        return f"{zlib.crc32(json.dumps(self.question).encode()):08x}"


def _numbers(parts: Sequence[str]) -> tuple[int, ...]:
    return tuple(int(part) for part in parts)
