"""Reads and writes the Secret of the authorities, and those of the Services' certificates."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final

from api.documents import mapping_at
from api.errors import SetupError
from api.types import JsonObject
from webhook.authority.authorities import Authority, read_authority
from webhook.authority.steps import Authorities
from webhook.certificates.bundles import split_bundle
from webhook.certificates.issued import IssuedCertificate, Service, read_issued

_CURRENT: Final = ("ca.crt", "ca.key")
_NEXT: Final = ("next-ca.crt", "next-ca.key")
_OLD: Final = "old-ca.crt"
_AUTHORITY_KEYS: Final = (*_CURRENT, *_NEXT, _OLD)
_CERT, _KEY, _BUNDLE = "tls.crt", "tls.key", "ca.crt"
_SERVICE_KEYS: Final = (_CERT, _KEY, _BUNDLE)


def read_authorities(secret: JsonObject) -> Authorities | None:
    """Read the Secret of the authorities; None: it has none.

    Raises:
        SetupError: its data are not valid.
    """
    texts = _texts(secret, _AUTHORITY_KEYS)
    if not texts:
        return None
    current = _authority(texts, _CURRENT)
    if current is None:
        raise SetupError(f"it has no {_CURRENT[0]}")
    return Authorities(
        current=current,
        next=_authority(texts, _NEXT),
        old=split_bundle(texts.get(_OLD, "")).certificates,
    )


def with_authorities(secret: JsonObject, authorities: Authorities) -> JsonObject:
    """Return the Secret with these authorities; other keys of its data stay."""
    texts = {
        **_written(authorities.current, _CURRENT),
        **_written(authorities.next, _NEXT),
        **({_OLD: "".join(authorities.old)} if authorities.old else {}),
    }
    return _with_texts(secret, texts, _AUTHORITY_KEYS)


def read_certificate(
    secret: JsonObject, service: Service, authority: Authority
) -> IssuedCertificate | None:
    """Read a Service's certificate; None: it has none that this authority has signed."""
    try:
        texts = _texts(secret, _SERVICE_KEYS)
        cert, key = texts.get(_CERT, ""), texts.get(_KEY, "")
        return read_issued(authority.cert, cert, key, service)
    except SetupError:
        return None


def has_bundle(secret: JsonObject, bundle: str) -> bool:
    """Return whether the Secret of a Service has this bundle."""
    try:
        return _texts(secret, _SERVICE_KEYS).get(_BUNDLE) == bundle
    except SetupError:
        return False


def with_certificate(secret: JsonObject, issued: IssuedCertificate, bundle: str) -> JsonObject:
    """Return the Secret of a Service with this certificate; other keys of its data stay."""
    texts = {_CERT: issued.cert, _KEY: issued.key, _BUNDLE: bundle}
    return _with_texts(secret, texts, _SERVICE_KEYS)


def _texts(secret: JsonObject, keys: tuple[str, ...]) -> dict[str, str]:
    data = secret.get("data") or {}
    if not isinstance(data, Mapping):
        raise SetupError("its data is not an object")
    try:
        return {
            key: base64.b64decode(str(data[key]), validate=True).decode()
            for key in keys
            if data.get(key)
        }
    except ValueError:
        raise SetupError("its data is not text in base64") from None


def _with_texts(secret: JsonObject, texts: Mapping[str, str], keys: tuple[str, ...]) -> JsonObject:
    others = mapping_at(secret, "data")
    kept = {key: value for key, value in others.items() if key not in keys}
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
    return {**secret, "data": {**kept, **encoded}}


def _authority(texts: Mapping[str, str], keys: tuple[str, str]) -> Authority | None:
    cert, key = (texts.get(name, "") for name in keys)
    if not cert and not key:
        return None
    try:
        return read_authority(cert, key)
    except SetupError as error:
        raise SetupError(f"its {', '.join(keys)}: {error}") from None


def _written(authority: Authority | None, keys: tuple[str, str]) -> dict[str, str]:
    return (
        {} if authority is None else dict(zip(keys, (authority.cert, authority.key), strict=True))
    )
