"""Reads public keys from the text of a JSON Web Key Set (RFC 7517)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from api.errors import UserError

MOST_BYTES: Final = 256 * 1024
"""Bytes of a key set; the API server's has about 1 KB for each key."""
_MOST_KEYS: Final = 100
_RSA, _EC = "RS256", "ES256"
_LEAST_RSA_BITS: Final = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One public key, with the only algorithm that its signatures may have."""

    algorithm: str
    """`RS256` or `ES256`."""
    public: RSAPublicKey | EllipticCurvePublicKey


Keys = Mapping[str, Key]
"""Keys by their id, the `kid` of a token's header."""


def read_keys(text: bytes) -> Keys:
    """Return the keys for RS256 and ES256; keys of other kinds are left out.

    Raises:
        UserError: the text is not a key set, or has no key that can be used.
    """
    if len(text) > MOST_BYTES:
        raise UserError(f"a key set of more than {MOST_BYTES} bytes")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise UserError("not JSON; give the text of the API server's /openid/v1/jwks") from None
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise UserError("no list `keys`; give the text of the API server's /openid/v1/jwks")
    if len(entries) > _MOST_KEYS:
        raise UserError(f"more than {_MOST_KEYS} keys")
    keys = {entry["kid"]: key for entry in entries if (key := _key(entry)) is not None}
    if not keys:
        raise UserError("no key for RS256 or ES256 that has a `kid`")
    return keys


def _key(entry: Any) -> Key | None:  # noqa: ANN401 - any JSON value
    """Return one key; None if it cannot be used here."""
    if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str) or not entry["kid"]:
        return None
    algorithm = {"RSA": _RSA, "EC": _EC}.get(str(entry.get("kty")))
    if algorithm is None or entry.get("alg", algorithm) != algorithm:
        return None
    if entry.get("use", "sig") != "sig":
        return None
    try:
        public = jwt.PyJWK(entry, algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    return Key(algorithm=algorithm, public=public) if _is_strong(public) else None


def _is_strong(public: object) -> bool:
    """Return whether this is a public key of the right kind and size."""
    if isinstance(public, RSAPublicKey):
        return public.key_size >= _LEAST_RSA_BITS
    return isinstance(public, EllipticCurvePublicKey) and isinstance(public.curve, SECP256R1)
