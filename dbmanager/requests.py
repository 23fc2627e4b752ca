"""What a request says: from the wire to values, and a refusal that names field and value.

Metadata `trialwatch-...` (the names are in `api.names`):

| key | value | on |
|---|---|---|
| `trialwatch-namespace` | the trial's namespace; "" is none | every call |
| `trialwatch-source` | 1 to 255 characters; needs a number | reports |
| `trialwatch-seq` | a number from 1; needs a source | reports |
| `trialwatch-outcome` | `succeeded`, `failed` or `stopped`; needs a source | reports |
| `trialwatch-max-reply` | bytes, from 1 | unary reads |

Any other key that starts so is refused: a misspelt one would cost a promise and nobody saw it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from api import names
from api.errors import UserError
from api.objects.faults import nearest, quoted
from api.timestamps import to_micros
from api.v1beta1 import api_pb2 as pb
from dbmanager.store import LONGEST_NAME, Delivery, NewRow, Outcome

MOST_BYTES = 2**31 - 1
"""Of one message; gRPC holds no more."""
_HIGHEST_SEQUENCE = 2**63 - 1
_PREFIX = "trialwatch-"
_KEYS = (
    names.NAMESPACE_METADATA,
    names.SOURCE_METADATA,
    names.SEQUENCE_METADATA,
    names.OUTCOME_METADATA,
    names.MAX_REPLY_METADATA,
)
_SECOND = len("2026-01-31T12:00:00")
_REMEMBERED = 10_000
"""Seconds whose microseconds are known; a report seldom spans more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallMetadata:
    """What the caller said beside the request."""

    namespace: str | None = None
    delivery: Delivery | None = None
    max_reply: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Which rows are asked for."""

    metrics: tuple[str, ...]
    from_micros: int | None
    to_micros: int | None


def read_metadata(pairs: Iterable[tuple[str, str | bytes]]) -> CallMetadata:
    """Read the metadata of a call; keys of others are passed over.

    Raises:
        UserError: a key of ours is unknown, given twice, or has a value that means nothing.
    """
    found: dict[str, str] = {}
    for key, value in pairs:
        if key.startswith(_PREFIX):
            _note(found, key, value)
    namespace = found.get(names.NAMESPACE_METADATA)
    if namespace:
        _check_text(f"metadata {names.NAMESPACE_METADATA}", namespace)
    most = found.get(names.MAX_REPLY_METADATA)
    return CallMetadata(
        namespace=namespace,
        delivery=_delivery(found),
        max_reply=None if most is None else _positive(names.MAX_REPLY_METADATA, most, MOST_BYTES),
    )


def read_trial_name(name: str) -> str:
    """Return the trial's name.

    Raises:
        UserError: it is empty, too long, or holds a NUL.
    """
    return _name("trial_name", name)


def read_rows(log: pb.ObservationLog) -> list[NewRow]:
    """Return the rows of a report, in its order.

    Raises:
        UserError: an entry lacks its metric, has a bad time stamp, name or value.
    """
    rows: list[NewRow] = []
    add = rows.append
    known: dict[str, str] = {}
    moments = Moments()
    for entry in log.metric_logs:
        metric = entry.metric
        name, value, stamp = metric.name, metric.value, entry.time_stamp
        micros = moments.micros(stamp)
        known_name = known.get(name)
        if known_name is None or micros is None or "\0" in value:
            _check_entry(f"observation_log.metric_logs[{len(rows)}]", entry)
            known_name = known[name] = name
            micros = to_micros(stamp)
        add(NewRow(micros, known_name, value))
    return rows


def read_bounds(metric_names: Sequence[str], start: str = "", end: str = "") -> Bounds:
    """Return what is asked for; an empty text does not filter.

    Raises:
        UserError: a name is too long or holds a NUL, or a time is not RFC 3339.
    """
    return Bounds(
        metrics=tuple(_name("metric_name", name) for name in metric_names if name),
        from_micros=_moment("start_time", start) if start else None,
        to_micros=_moment("end_time", end) if end else None,
    )


class Moments:
    """Reads time stamps as `to_micros` does, several times faster where they are of few seconds."""

    def __init__(self) -> None:
        self._seconds: dict[str, int] = {}

    def micros(self, text: str) -> int | None:
        """Return the microseconds since 1970; None where the text is no time stamp."""
        second, rest = text[:_SECOND], text[_SECOND:]
        micros = self._seconds.get(second)
        if micros is None:
            return self._learned(second, text)
        if rest == "Z":
            return micros
        digits = rest[1:-1]
        if rest[:1] == "." and rest[-1:] == "Z" and digits.isdecimal() and digits.isascii():
            return micros + int(digits[:6].ljust(6, "0"))
        return _micros_or_none(text)

    def _learned(self, second: str, text: str) -> int | None:
        micros = _micros_or_none(text)
        if micros is not None and len(self._seconds) < _REMEMBERED:
            self._seconds[second] = to_micros(f"{second}Z")
        return micros


def _micros_or_none(text: str) -> int | None:
    try:
        return to_micros(text)
    except UserError:
        return None


def _check_entry(path: str, entry: pb.MetricLog) -> None:
    """Refuse what is wrong with one entry; all that `read_rows` did not take at once comes here."""
    if not entry.HasField("metric"):
        raise UserError(f"{path}.metric: missing; send name and value")
    _name(f"{path}.metric.name", entry.metric.name)
    if not entry.time_stamp:
        raise UserError(
            f"{path}.time_stamp: missing for metric {quoted(entry.metric.name)};"
            " send RFC 3339 text as in 2026-01-31T12:00:00Z"
        )
    _moment(f"{path}.time_stamp", entry.time_stamp)
    if "\0" in entry.metric.value:
        raise UserError(
            f"{path}.metric.value: {quoted(entry.metric.value)} holds a NUL character;"
            " databases cannot keep it: remove it"
        )


def _moment(path: str, text: str) -> int:
    try:
        return to_micros(text)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _name(path: str, name: str) -> str:
    if not name:
        raise UserError(f"{path}: missing; send a name of 1 to {LONGEST_NAME} characters")
    _check_text(path, name)
    return name


def _check_text(path: str, text: str) -> None:
    if len(text) > LONGEST_NAME:
        raise UserError(
            f"{path}: {quoted(text)} has {len(text)} characters; at most {LONGEST_NAME} are kept"
        )
    if "\0" in text:
        raise UserError(f"{path}: {quoted(text)} holds a NUL character; remove it")


def _note(found: dict[str, str], key: str, value: str | bytes) -> None:
    if key not in _KEYS:
        hint = nearest(key, _KEYS, likeness=0.8) or f"; known are {', '.join(_KEYS)}"
        raise UserError(f"metadata {key}: unknown{hint}")
    if key in found:
        raise UserError(f"metadata {key}: given twice; send it once")
    found[key] = value if isinstance(value, str) else value.decode("utf-8", "replace")


def _delivery(found: dict[str, str]) -> Delivery | None:
    source = found.get(names.SOURCE_METADATA)
    sequence = found.get(names.SEQUENCE_METADATA)
    outcome = found.get(names.OUTCOME_METADATA)
    if source is None:
        for key in (names.SEQUENCE_METADATA, names.OUTCOME_METADATA):
            if key in found:
                raise UserError(
                    f"metadata {key}: {quoted(found[key])} without {names.SOURCE_METADATA};"
                    " say whose report this is"
                )
        return None
    _name(f"metadata {names.SOURCE_METADATA}", source)
    if sequence is None:
        raise UserError(
            f"metadata {names.SOURCE_METADATA}: {quoted(source)} without"
            f" {names.SEQUENCE_METADATA}; number the source's reports 1, 2, 3 and so on"
        )
    return Delivery(
        source=source,
        sequence=_positive(names.SEQUENCE_METADATA, sequence, _HIGHEST_SEQUENCE),
        outcome=None if outcome is None else _outcome(outcome),
    )


def _outcome(text: str) -> Outcome:
    try:
        return Outcome(text)
    except ValueError:
        raise UserError(
            f"metadata {names.OUTCOME_METADATA}: {quoted(text)} is unknown;"
            f" write one of {', '.join(Outcome)}"
        ) from None


def _positive(key: str, text: str, most: int) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 20 else 0  # noqa: PLR2004 - digits of 2**63, and room for a zero
    if not 1 <= number <= most:
        raise UserError(f"metadata {key}: {quoted(text)} is no number from 1 to {most}")
    return number
