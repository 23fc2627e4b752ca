"""Reads the files of the command line; `-` is standard input."""

from __future__ import annotations

import sys
from pathlib import Path

from api.errors import UserError


def read_input(name: str) -> str:
    """Return the text of a file.

    Raises:
        UserError: it cannot be read, or is not UTF-8.
    """
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        return data.decode()
    except (OSError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise UserError(f"{shown_input(name)} is not UTF-8 text; save it as UTF-8") from None
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(
            f"cannot read {name!r}: {reason}; write the path of a file, or - for standard input"
        ) from None


def shown_input(name: str) -> str:
    """Return the name of a file for messages."""
    return "standard input" if name == "-" else name
