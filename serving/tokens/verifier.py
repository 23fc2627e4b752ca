"""Checks the token of a service account: a token, keys and a time in, an identity out. Pure.

Accepted are tokens with a signature by RS256 or ES256 that one of the keys has made, of the right
issuer, with the claims that Kubernetes writes, within their time. `alg: none`, HMAC, and a token
whose header names another algorithm than that of its key are refused.

The order of the checks is part of the safety: the length comes first, and no claim is read before
the signature is checked.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt

from api.errors import TrialwatchError
from api.faults import quoted
from serving.tokens.jwks import Keys

LONGEST_TOKEN: Final = 8192
"""Bytes; a token of Kubernetes has 1,000 to 2,000."""
CLOCK_SKEW: Final = 60.0
"""Seconds by which the clocks of two machines may differ."""
_KUBERNETES: Final = "kubernetes.io"
_SUBJECT: Final = "system:serviceaccount:"
_JWS = jwt.PyJWS(algorithms=["RS256", "ES256"])


class Refused(TrialwatchError):
    """A token does not prove an identity."""


class UnknownKey(Refused):
    """The key that the token names is not among the keys: newer keys may have it."""


class Foreign(Refused):
    """The token is from another issuer: another check may accept it."""


class Expired(Refused):
    """The token was valid before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whose token it is."""

    audiences: tuple[str, ...]
    namespace: str
    service_account: str
    pod: str = ""
    """The name of the pod that the token is bound to; "" if it is bound to none."""
    pod_uid: str = ""
    expires: float
    """Seconds since 1970."""


def verify(token: str, keys: Keys, *, issuer: str, now: float) -> Identity:
    """Return the identity of a token that is in its time or past it.

    The caller checks the end, by `check_time`, because it depends on what the token is for.

    Args:
        token: as a client sent it.
        keys: the public keys of the issuer.
        issuer: the `iss` of its tokens.
        now: seconds since 1970.

    Raises:
        UnknownKey: the keys do not have the token's key.
        Foreign: the token has another issuer.
        Refused: the token is malformed, forged, or not valid yet.
    """
    if len(token) > LONGEST_TOKEN:
        raise Refused(f"the token has more than {LONGEST_TOKEN} characters")
    claims = _claims(_signed_payload(token, keys))
    if claims.get("iss") != issuer:
        raise Foreign(f"the token's issuer is {_shown(claims.get('iss'))}, and not {issuer}")
    begin = max(_number(claims, "nbf", default=0.0), _number(claims, "iat", default=0.0))
    if begin > now + CLOCK_SKEW:
        raise Refused(f"the token is not valid yet: its time begins in {begin - now:.0f} s")
    return _identity(claims)


def check_time(identity: Identity, *, now: float, leeway: float = CLOCK_SKEW) -> None:
    """Check that a token has not expired more than `leeway` seconds ago.

    Raises:
        Expired: it has.
    """
    late = now - identity.expires
    if late > leeway:
        raise Expired(f"the token has expired {late:.0f} s ago: send the renewed token")


def _signed_payload(token: str, keys: Keys) -> bytes:
    """Check the signature; return the bytes of the claims."""
    try:
        header = jwt.get_unverified_header(token)
        kid = header.get("kid")
        if not isinstance(kid, str) or not kid:
            raise Refused("the token names no key (`kid`)")
        key = keys.get(kid)
        if key is None:
            raise UnknownKey(f"the token's key {quoted(kid)} is unknown")
        payload = _JWS.decode(token, key.public, algorithms=[key.algorithm])
    except jwt.InvalidSignatureError:
        raise Refused("the token's signature is wrong") from None
    except jwt.InvalidAlgorithmError:
        raise Refused("the token's algorithm is not that of its key") from None
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise Refused("the token is not a signed JSON Web Token") from None
    return payload if isinstance(payload, bytes) else b""


def _claims(payload: bytes) -> Mapping[str, Any]:
    try:
        claims = json.loads(payload)
    except (ValueError, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise Refused("the token's claims are not a JSON object")
    return claims


def _identity(claims: Mapping[str, Any]) -> Identity:
    bound = _mapping(claims, _KUBERNETES)
    account, pod = _mapping(bound, "serviceaccount"), _mapping(bound, "pod")
    namespace, name = _text(bound, "namespace"), _text(account, "name")
    if not namespace or not name:
        raise Refused(f"the token has no `{_KUBERNETES}` claims with namespace and serviceaccount")
    if claims.get("sub") != f"{_SUBJECT}{namespace}:{name}":
        raise Refused("the token's subject is not its service account")
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or not all(isinstance(one, str) for one in audiences):
        raise Refused("the token has no audience")
    return Identity(
        audiences=tuple(audiences),
        namespace=namespace,
        service_account=name,
        pod=_text(pod, "name"),
        pod_uid=_text(pod, "uid"),
        expires=_number(claims, "exp", default=None),
    )


def _mapping(claims: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = claims.get(name)
    return value if isinstance(value, dict) else {}


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""


def _number(claims: Mapping[str, Any], name: str, *, default: float | None) -> float:
    value = claims.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused(f"the token's claim `{name}` is not a time")
    try:
        seconds = float(value)
    except OverflowError:
        seconds = math.inf
    if not math.isfinite(seconds):
        raise Refused(f"the token's claim `{name}` is not a time")
    return seconds


def _shown(value: object) -> str:
    return quoted(value) if isinstance(value, str) else "not a text"
