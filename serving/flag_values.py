"""The flags that were given, read as what they mean; None where one was not given."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from api.durations import parse_duration
from api.errors import UserError
from api.faults import quoted
from api.goflags import Flag, parse_switch, read_flags
from serving.addresses import Address, parse_address

_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
Given = Mapping[str, str]
"""The text of each flag that was given, by its name."""


def given_in(argv: Sequence[str], flags: Sequence[Flag]) -> dict[str, str]:
    """Read a command line; a flag that is given twice counts by its last value.

    Raises:
        UserError: a flag is unknown, or has no value.
    """
    return {flag.name: value for flag, value in read_flags(argv, flags)}


def address(flag: Flag, given: Given) -> Address | None:
    """Read `HOST:PORT`.

    Raises:
        UserError: it is of another form.
    """
    text = given.get(flag.name)
    if text is None:
        return None
    found = parse_address(text)
    if found is None:
        raise UserError(
            f"{flag.name}: {quoted(text)} is no address; write HOST:PORT as in 127.0.0.1:6789"
        )
    return found


def optional_address(flag: Flag, given: Given, default: Address | None) -> Address | None:
    """Read `HOST:PORT`; `off`, or nothing, is None.

    Raises:
        UserError: it is of another form.
    """
    if given.get(flag.name) in {"off", ""}:
        return None
    return address(flag, given) or default


def duration(flag: Flag, given: Given) -> timedelta | None:
    """Read a duration such as `1m30s`.

    Raises:
        UserError: it is of another form, or less than nothing.
    """
    text = given.get(flag.name)
    if text is None:
        return None
    try:
        found = parse_duration(text)
    except UserError as error:
        raise UserError(f"{flag.name}: {error}") from None
    if found < timedelta(0):
        raise UserError(f"{flag.name}: {quoted(text)} is less than nothing; write 0s or more")
    return found


def switch(flag: Flag, given: Given, *, default: bool) -> bool:
    """Read true or false.

    Raises:
        UserError: it is neither.
    """
    try:
        return parse_switch(given.get(flag.name, str(default)))
    except UserError as error:
        raise UserError(f"{flag.name}: {error}") from None


def level(flag: Flag, given: Given) -> int:
    """Read from which level on to log; `info` where it was not given.

    Raises:
        UserError: it is no level.
    """
    text = given.get(flag.name, "info")
    if text not in _LEVELS:
        raise UserError(f"{flag.name}: {quoted(text)}; write one of {', '.join(_LEVELS)}")
    return _LEVELS[text]


def path(flag: Flag, given: Given) -> Path | None:
    """Read the name of a file; an empty one is None."""
    text = given.get(flag.name)
    return Path(text) if text else None
