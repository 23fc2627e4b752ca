"""Reads and writes the state of the rotation as the data of the Secret.

| key | value |
|---|---|
| `tls.crt`, `tls.key`, `ca.crt` | the current certificate, its key, its authority |
| `next.crt`, `next.key`, `next-ca.crt` | the next certificate, its key, its authority |
| `old-ca.crt` | older authorities that are still trusted, or are being removed |
| `rotation` | JSON: `dropping` (whether those are being removed), `since` (time of the state) |
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from typing import Final

from api.documents import mapping_at
from api.errors import SetupError
from api.types import JsonObject
from webhook.certificates.bundles import split_bundle
from webhook.certificates.issued import IssuedCertificate, Service, read_issued
from webhook.certificates.rotation import RotationState

_CURRENT: Final = ("ca.crt", "tls.crt", "tls.key")
_NEXT: Final = ("next-ca.crt", "next.crt", "next.key")
_OLD: Final = "old-ca.crt"
_ROTATION: Final = "rotation"
KEYS: Final = (*_CURRENT, *_NEXT, _OLD, _ROTATION)


def read_state(secret: JsonObject | None, service: Service) -> RotationState | None:
    """Read a Secret; None: it has none of these keys.

    Raises:
        SetupError: its data is not valid.
    """
    texts = _texts(secret or {})
    if not texts:
        return None
    dropping, since = _rotation(texts.get(_ROTATION, "{}"))
    state = RotationState(
        current=_issued(texts, _CURRENT, service),
        next=_issued(texts, _NEXT, service),
        old=tuple(split_bundle(texts.get(_OLD, "")).certificates),
        dropping=dropping,
        since=since,
    )
    if state.current is None and state.next is None:
        raise SetupError(f"it has neither {_CURRENT[1]} nor {_NEXT[1]}")
    return state


def with_state(secret: JsonObject, state: RotationState, service: Service) -> JsonObject:
    """Return the Secret with this state; other keys of its data stay.

    Raises:
        SetupError: the state could not be read back, so it must not be written.
    """
    texts = {
        **_written(state.current, _CURRENT),
        **_written(state.next, _NEXT),
        **({_OLD: "".join(state.old)} if state.old else {}),
        _ROTATION: json.dumps({"dropping": state.dropping, "since": state.since}),
    }
    others = mapping_at(secret, "data")
    kept = {key: value for key, value in others.items() if key not in KEYS}
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
    written: JsonObject = {**secret, "data": {**kept, **encoded}}
    if read_state(written, service) != state:
        raise SetupError("the new certificates could not be read back; nothing was written")
    return written


def _texts(secret: JsonObject) -> dict[str, str]:
    data = secret.get("data")
    if data is None:
        return {}
    if not isinstance(data, Mapping):
        raise SetupError("its data is not an object")
    try:
        return {
            key: base64.b64decode(str(data[key]), validate=True).decode()
            for key in KEYS
            if data.get(key)
        }
    except ValueError:
        raise SetupError("its data is not text in base64") from None


def _rotation(text: str) -> tuple[bool, float | None]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise SetupError(f"its {_ROTATION} is not a JSON object")
    since = document.get("since")
    known = isinstance(since, int | float) and math.isfinite(since)
    return document.get("dropping") is True, float(since or 0) if known else None


def _issued(
    texts: Mapping[str, str], keys: tuple[str, str, str], service: Service
) -> IssuedCertificate | None:
    values = [texts.get(key, "") for key in keys]
    if not any(values):
        return None
    ca, cert, key = values
    try:
        return read_issued(ca, cert, key, service)
    except SetupError as error:
        raise SetupError(f"its {', '.join(keys)}: {error}") from None


def _written(issued: IssuedCertificate | None, keys: tuple[str, str, str]) -> dict[str, str]:
    return (
        {} if issued is None else dict(zip(keys, (issued.ca, issued.cert, issued.key), strict=True))
    )
