"""A registry's challenge (`WWW-Authenticate`), and the address of the token that it asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from api.errors import RemoteError
from webhook.registry.references import ImageReference, is_loopback

_PART = re.compile(
    r"""[\s,]*
    (?P<word> [!#$%&'*+.^_`|~0-9A-Za-z-]+ )
    (?P<value> \s*=\s* (?: "(?P<quoted> (?:[^"\\]|\\.)* )" | (?P<bare> [^\s,"]* ) ) )?""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
BEARER: Final = "bearer"
BASIC: Final = "basic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One way to authenticate that a registry offers."""

    scheme: str
    """In lower case."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Their names are in lower case."""


def parse_challenges(headers: Iterable[str]) -> tuple[Challenge, ...]:
    """Read the challenges in order; a header is read up to its first malformed part."""
    challenges: list[Challenge] = []
    for header in headers:
        challenges += _parse(header)
    return tuple(challenges)


def _parse(header: str) -> list[Challenge]:
    challenges: list[tuple[str, dict[str, str]]] = []
    at = 0
    while match := _PART.match(header, at):
        at = match.end()
        word = match["word"].lower()
        if match["value"] is None:
            challenges.append((word, {}))
        elif challenges:
            quoted = match["quoted"]
            value = match["bare"] if quoted is None else _ESCAPED.sub(r"\1", quoted)
            challenges[-1][1].setdefault(word, value)
    return [Challenge(scheme=scheme, parameters=parameters) for scheme, parameters in challenges]


def token_address(challenge: Challenge, reference: ImageReference) -> str:
    """Return the address of a token to read the image.

    Raises:
        RemoteError: the registry gives no valid address, or one to which no password may be sent.
    """
    realm = challenge.parameters.get("realm", "")
    parts = _split(realm)
    if parts is None or not parts.hostname or parts.username is not None:
        raise RemoteError(f"{reference.domain} gives no valid address for tokens")
    check_scheme(parts.scheme, parts.hostname, reference)
    asked = {"scope": f"repository:{reference.repository}:pull"}
    for name in ("service", "scope"):
        if name in challenge.parameters:
            asked[name] = challenge.parameters[name]
    query = urlencode([*parse_qsl(parts.query), *asked.items()])
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def check_scheme(scheme: str, host: str, reference: ImageReference) -> None:
    """Check that an address which a registry gives is for TLS.

    Without TLS, the author of a pod could make the webhook call services inside the cluster. The
    one exception: a registry on a loopback address may give a loopback address with plain HTTP.

    Raises:
        RemoteError: it is not for TLS.
    """
    plain_allowed = reference.origin.startswith("http://") and is_loopback(host)
    if scheme != "https" and not (scheme == "http" and plain_allowed):
        raise RemoteError(f"{reference.domain} refers to {scheme}://{host}; only https is allowed")


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018 - it raises if the port is not a number
    except ValueError:
        return None
    return parts
