"""The tokens of `Read` and `Watch`, with which a caller continues.

A token is a position and a check sum of the request's fields. With other fields it is refused,
because the position has no meaning there. The text is not secret, and its form may change: callers
only send it back.
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
class PageTokens:
    """Writes and reads the tokens of one request."""

    field: str
    """The name of the field with the token, for messages."""
    request_fields: tuple[object, ...]
    """The values that must be the same when the token comes back; of types that JSON has."""

    def write(self, *position: int) -> str:
        """Return the token of a position."""
        return ".".join((*map(str, position), self._sum()))

    def read(self, token: str, *lengths: int) -> tuple[int, ...] | None:
        """Return the position, which has one of these lengths; None if the token is empty.

        Raises:
            UserError: this server does not write such tokens, or the request has other fields.
        """
        if not token:
            return None
        *position, check = token.split(".")
        if len(position) not in lengths or not all(_NUMBER.fullmatch(part) for part in position):
            raise UserError(
                f"{self.field}: {quoted(token)} is not a token of this server;"
                " start without a token"
            )
        if check != self._sum():
            raise UserError(
                f"{self.field}: {quoted(token)} belongs to another request; send the same other"
                " fields as before, or start without a token"
            )
        return _numbers(position)

    def _sum(self) -> str:
        return f"{zlib.crc32(json.dumps(self.request_fields).encode()):08x}"


def _numbers(parts: Sequence[str]) -> tuple[int, ...]:
    return tuple(int(part) for part in parts)
