"""Kinds of values that flags have: how a text becomes a value, and how a value is shown."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from api.durations import parse_duration, render_duration
from api.errors import UserError
from api.faults import quoted
from api.goflags import parse_switch
from serving.addresses import Address, parse_address

T = TypeVar("T")

_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[T]):
    """One kind of value."""

    placeholder: str
    """What stands for the value in a help text, such as `HOST:PORT`; "" for a switch."""
    read: Callable[[str], T]
    """Raises `UserError` with a sentence about the text; the flag is named by the caller."""
    show: Callable[[Any], str] = str
    """Writes a value as a user would write it; "" if there is nothing to show."""


def _address(text: str) -> Address:
    address = parse_address(text)
    if address is None:
        raise UserError(f"{quoted(text)} is not an address; write HOST:PORT, as in 127.0.0.1:6789")
    return address


def _duration(text: str) -> timedelta:
    duration = parse_duration(text)
    if duration < timedelta(0):
        raise UserError(f"{quoted(text)} must not be negative; write 0s or more")
    return duration


def _pause(text: str) -> timedelta:
    duration = _duration(text)
    if not duration:
        raise UserError(f"{text} would ask again without a pause; write 1s or more")
    return duration


def _level(text: str) -> int:
    if text not in _LEVELS:
        raise UserError(f"{quoted(text)} is not a level; write one of {', '.join(_LEVELS)}")
    return _LEVELS[text]


def _show_duration(value: timedelta | None) -> str:
    """Write `1m` for Go's `1m0s`, and `0s` for None."""
    text = render_duration(value or timedelta(0))
    text = text.removesuffix("0s") if text.endswith("m0s") else text
    return text.removesuffix("0m") if text.endswith("h0m") else text


ADDRESS: Final = Kind(placeholder="HOST:PORT", read=_address)
ADDRESS_OR_OFF: Final = Kind(
    placeholder="HOST:PORT",
    read=lambda text: None if text in {"off", ""} else _address(text),
    show=lambda address: str(address) if address else "off",
)
ADDRESS_TEXT: Final = Kind(placeholder="HOST:PORT", read=lambda text: str(_address(text)))
DURATION: Final = Kind(placeholder="DURATION", read=_duration, show=_show_duration)
DURATION_OR_NEVER: Final = Kind(
    placeholder="DURATION", read=lambda text: _duration(text) or None, show=_show_duration
)
"""0s is None."""
PAUSE: Final = Kind(placeholder="DURATION", read=_pause, show=_show_duration)
"""A duration of more than 0s."""
SECONDS: Final = Kind(
    placeholder="DURATION",
    read=lambda text: _duration(text).total_seconds(),
    show=lambda seconds: _show_duration(timedelta(seconds=seconds)),
)
SWITCH: Final = Kind(placeholder="", read=parse_switch, show={True: "on", False: "off"}.__getitem__)
LEVEL: Final = Kind(
    placeholder="LEVEL",
    read=_level,
    show={level: text for text, level in _LEVELS.items()}.__getitem__,
)
PATH: Final = Kind(
    placeholder="FILE",
    read=lambda text: Path(text) if text else None,
    show=lambda path: str(path or ""),
)
"""An empty text is None."""
FOLDER: Final = Kind(placeholder="DIR", read=PATH.read, show=PATH.show)


def whole_number(placeholder: str, most: int) -> Kind[int]:
    """Return the kind of a whole number from 1 to `most`."""

    def read(text: str) -> int:
        if not re.fullmatch(rf"[0-9]{{1,{len(str(most))}}}", text) or not 1 <= int(text) <= most:
            raise UserError(f"{quoted(text)} is not a whole number from 1 to {most}")
        return int(text)

    return Kind(placeholder=placeholder, read=read)
