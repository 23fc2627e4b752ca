"""The body of a push, to points. Pure.

    {"loss": 0.3, "step": 7}              an object, or several, with blanks or lines between them
    loss=0.3&step=7                       a form, or several, one a line

The body decides: `curl -d` calls everything a form. A key is a metric's name, or else one of these:

| key                            | value                                                      |
|--------------------------------|------------------------------------------------------------|
| `step`, `epoch`, `global_step` | a whole number; the first of the three that is there       |
| `timestamp`                    | RFC 3339, or seconds since 1970                            |

Keys that are neither are ignored: a training reports more than a search asks for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, unquote_plus

from api.faults import quoted
from api.report_limits import LARGEST_STEP, LONGEST_VALUE
from api.timestamps import is_rfc3339
from filters.journal_finder import JournalPoint
from filters.line_timestamps import epoch_stamp

MOST_KEYS = 10_000
"""Keys of all objects of a body; a body of 1 MiB could have 100,000, and take 100 MiB."""
STEPS = ("step", "epoch", "global_step")
_TIMESTAMP = "timestamp"
_WHOLE = re.compile(r"[0-9]{1,19}")
_BLANK = " \t\r\n"


class PushRefused(Exception):
    """The body is wrong; the caller must change it."""

    def __init__(self, why: str, field: str | None = None) -> None:
        """Take what to do, and the field that is wrong."""
        super().__init__(why)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """What a body reports."""

    points: tuple[JournalPoint, ...]
    ignored: tuple[str, ...]
    """Keys that are no metrics of the trial, each once."""


class _Number(str):
    """A JSON number, as the text of the body."""

    __slots__ = ()


_DECODER = json.JSONDecoder(parse_float=_Number, parse_int=_Number, parse_constant=_Number)


def read_push(body: bytes, metrics: Collection[str]) -> Push:
    """Read a body; `metrics` are the names that the trial collects.

    Raises:
        PushRefused: names the field that is wrong.
    """
    try:
        text = body.decode().strip(_BLANK)
    except UnicodeDecodeError as error:
        raise PushRefused(f"the body is not UTF-8 at byte {error.start}") from None
    if not text:
        raise PushRefused('the body is empty; send an object such as {"loss": 0.3, "step": 7}')
    objects = list(_bounded(_objects(text) if text[0] == "{" else _forms(text)))
    points: list[JournalPoint] = []
    for each in objects:
        points += _points(each, metrics)
    known = {*metrics, *STEPS, _TIMESTAMP}
    ignored = dict.fromkeys(key for each in objects for key in each if key not in known)
    if not points and not ignored:
        raise PushRefused(f"no metric in it; the trial collects {', '.join(metrics)}")
    return Push(points=tuple(points), ignored=tuple(ignored))


def _bounded(objects: Iterator[Mapping[str, object]]) -> Iterator[Mapping[str, object]]:
    keys = 0
    for each in objects:
        keys += 1 + len(each)
        if keys > MOST_KEYS:
            raise PushRefused(f"the body has more than {MOST_KEYS} keys; send several requests")
        yield each


def _objects(text: str) -> Iterator[Mapping[str, object]]:
    offset, number = 0, 0
    while offset < len(text):
        number += 1
        try:
            document, offset = _DECODER.raw_decode(text, offset)
        except (ValueError, RecursionError) as error:
            raise PushRefused(f"object {number} is not valid JSON: {error}") from None
        if not isinstance(document, dict):
            raise PushRefused(f"value {number} is not an object; write one object a line")
        yield document
        while offset < len(text) and text[offset] in _BLANK:
            offset += 1


def _forms(text: str) -> Iterator[Mapping[str, object]]:
    for line in text.split("\n"):
        fields = {}
        for part in line.strip(_BLANK).split("&"):
            key, equals, value = part.partition("=")
            name = unquote_plus(key).strip()
            if part and not equals:
                raise PushRefused(f"{quoted(part)} has no `=`; write NAME=VALUE, or JSON", name)
            if part:  # the `+` of `1e+5` is no blank
                fields[name] = _Number(unquote(value).strip())
        if fields:
            yield fields


def _points(fields: Mapping[str, object], metrics: Collection[str]) -> Iterator[JournalPoint]:
    step, stamp = _step(fields, metrics), _stamp(fields, metrics)
    for name, value in fields.items():
        if name in metrics:
            yield JournalPoint(name, _value(name, value), step, stamp)


def _value(name: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_VALUE:
        raise _wrong(name, value, "write a number")
    try:
        float(value)
    except ValueError:
        raise _wrong(name, value, "write a number") from None
    if not value.isascii() or "_" in value:  # what Python reads as a number, and others do not
        raise _wrong(name, value, "write a number")
    return str(value).strip()


def _step(fields: Mapping[str, object], metrics: Collection[str]) -> int | None:
    for name in STEPS:
        if name in fields and name not in metrics:
            value = fields[name]
            if not isinstance(value, str) or _WHOLE.fullmatch(value) is None:
                raise _wrong(name, value, "write a whole number, 0 or greater")
            if int(value) > LARGEST_STEP:
                raise _wrong(name, value, f"write at most {LARGEST_STEP}")
            return int(value)
    return None


def _stamp(fields: Mapping[str, object], metrics: Collection[str]) -> str | None:
    if _TIMESTAMP not in fields or _TIMESTAMP in metrics:
        return None
    value = fields[_TIMESTAMP]
    if isinstance(value, str):
        stamp = str(value) if is_rfc3339(value) else epoch_stamp(value)
        if stamp is not None:
            return stamp
    raise _wrong(_TIMESTAMP, value, "write RFC 3339 such as 2026-01-31T12:00:00Z, or seconds")


def _wrong(field: str, value: object, remedy: str) -> PushRefused:
    text = value if isinstance(value, str) else json.dumps(value)
    return PushRefused(f"{field} is {quoted(text[:100])}; {remedy}", field)
