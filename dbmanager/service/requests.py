"""Reads the fields and the metadata of requests; an error names the field and the value.

Metadata `trialwatch-...` (the names are in `api.names`):

| key | value | on |
|---|---|---|
| `trialwatch-namespace` | the trial's namespace; "" for rows without a namespace | every call |
| `trialwatch-source` | 1 to 255 characters; needs a number | reports |
| `trialwatch-seq` | a number from 1; needs a source | reports |
| `trialwatch-outcome` | `succeeded`, `failed` or `stopped`; needs a source | reports |
| `trialwatch-max-reply` | bytes, from 1 | unary reads |

Any other key with this prefix is refused: a misspelt key must not silently lose a guarantee.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from api import names
from api.errors import UserError
from api.faults import nearest, quoted
from dbmanager.service.decoding import check_name, check_text, read_moment
from dbmanager.store.contract import AttemptOutcome, Delivery

MOST_BYTES = 2**31 - 1
"""Bytes of one message: the limit of gRPC."""
MOST_METRICS = 1_000
"""Metrics that a read may name."""
_HIGHEST_SEQUENCE = 2**63 - 1
_PREFIX = "trialwatch-"
_KEYS = (
    names.NAMESPACE_METADATA,
    names.SOURCE_METADATA,
    names.SEQUENCE_METADATA,
    names.OUTCOME_METADATA,
    names.MAX_REPLY_METADATA,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallMetadata:
    """The metadata of a call, as values; None if absent."""

    namespace: str | None = None
    delivery: Delivery | None = None
    max_reply: int | None = None

    @property
    def is_given(self) -> bool:
        """Whether the caller sent any of these keys; Katib's clients send none."""
        return self != CallMetadata()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Which rows of a trial a request asks for; None is no bound."""

    metrics: tuple[str, ...]
    from_micros: int | None
    to_micros: int | None


def read_metadata(pairs: Iterable[tuple[str, str | bytes]]) -> CallMetadata:
    """Read the metadata of a call; keys without the prefix `trialwatch-` are ignored.

    Raises:
        UserError: a key is unknown or given twice, or its value is wrong.
    """
    metadata: dict[str, str] = {}
    for key, value in pairs:
        if key.startswith(_PREFIX):
            _add(metadata, key, value)
    namespace = metadata.get(names.NAMESPACE_METADATA)
    if namespace:
        check_text(f"metadata {names.NAMESPACE_METADATA}", namespace)
    most = metadata.get(names.MAX_REPLY_METADATA)
    return CallMetadata(
        namespace=namespace,
        delivery=_delivery(metadata),
        max_reply=None if most is None else _positive(names.MAX_REPLY_METADATA, most, MOST_BYTES),
    )


def read_trial_name(name: str) -> str:
    """Return the trial's name.

    Raises:
        UserError: the name is empty, too long, or has a NUL.
    """
    return check_name("trial_name", name)


def read_bounds(metric_names: Sequence[str], start: str = "", end: str = "") -> Bounds:
    """Return the bounds of a read; an empty text is no bound.

    Raises:
        UserError: a name is too long or has a NUL, there are too many, or a time is not RFC 3339.
    """
    if len(metric_names) > MOST_METRICS:
        raise UserError(
            f"metric_names: {len(metric_names)} names; send at most {MOST_METRICS} in one request"
        )
    return Bounds(
        metrics=tuple(check_name("metric_name", name) for name in metric_names if name),
        from_micros=read_moment("start_time", start) if start else None,
        to_micros=read_moment("end_time", end) if end else None,
    )


def _add(metadata: dict[str, str], key: str, value: str | bytes) -> None:
    if key not in _KEYS:
        hint = nearest(key, _KEYS, likeness=0.8) or f"; known are {', '.join(_KEYS)}"
        raise UserError(f"metadata {key}: unknown{hint}")
    if key in metadata:
        raise UserError(f"metadata {key}: given twice; send it once")
    metadata[key] = value if isinstance(value, str) else value.decode("utf-8", "replace")


def _delivery(metadata: dict[str, str]) -> Delivery | None:
    source = metadata.get(names.SOURCE_METADATA)
    sequence = metadata.get(names.SEQUENCE_METADATA)
    outcome = metadata.get(names.OUTCOME_METADATA)
    if source is None:
        for key in (names.SEQUENCE_METADATA, names.OUTCOME_METADATA):
            if key in metadata:
                raise UserError(
                    f"metadata {key}: {quoted(metadata[key])} without {names.SOURCE_METADATA};"
                    " send the source of the report too"
                )
        return None
    check_name(f"metadata {names.SOURCE_METADATA}", source)
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


def _outcome(text: str) -> AttemptOutcome:
    try:
        return AttemptOutcome(text)
    except ValueError:
        raise UserError(
            f"metadata {names.OUTCOME_METADATA}: {quoted(text)} is unknown;"
            f" write one of {', '.join(AttemptOutcome)}"
        ) from None


def _positive(key: str, text: str, most: int) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 20 else 0  # noqa: PLR2004 - digits of 2**63, and room for a zero
    if not 1 <= number <= most:
        raise UserError(
            f"metadata {key}: {quoted(text)} is not a whole number from 1 to {most}; send one"
        )
    return number
