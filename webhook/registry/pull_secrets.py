"""Pull secrets: which of their logins may open an image's registry, by the kubelet's rules.

| a secret's entry | opens |
|---|---|
| `registry.example` | every image there |
| `registry.example/team` | those whose name goes on so: `team/x`, and `teams/x` too |
| `*.example`, `r?.example` | as many labels, each matched by itself; port and path do not vary |
| `https://registry.example/v1/` | as without scheme, `/v1/` and `/v2/` |
| `index.docker.io` | Docker Hub, where nothing else opens it |
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from api.errors import UserError
from api.types import JsonObject
from webhook.registry.references import split_port

# A secret's type -> the key of its data.
_KEYS = {
    "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
    "kubernetes.io/dockercfg": ".dockercfg",
}
_HUB, _HUBS_OLD_NAME = "docker.io", "index.docker.io"


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A user of a registry."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PullSecretEntry:
    """A login, and what it opens."""

    place: str
    """`host[:port][/path]`; the labels of the host may be patterns."""
    login: Login


def read_entries(secret: JsonObject) -> tuple[PullSecretEntry, ...]:
    """Read a Secret as the API server gives it; entries that are no login are passed over.

    Raises:
        UserError: it is no pull secret, or not well-formed.
    """
    key = _KEYS.get(str(secret.get("type")))
    data = secret.get("data")
    if key is None or not isinstance(data, dict) or not data.get(key):
        raise UserError(f"it is no pull secret: its type is not one of {', '.join(_KEYS)}")
    try:
        document = json.loads(base64.b64decode(str(data[key])))
    except (ValueError, RecursionError):
        raise UserError(f"its {key} is not the base64 of JSON") from None
    logins = document.get("auths") if key == ".dockerconfigjson" and _is_map(document) else document
    if not isinstance(logins, dict):
        raise UserError(f"its {key} lists no registries")
    found = ((_place(place), _login(said)) for place, said in logins.items() if _is_map(said))
    return tuple(
        PullSecretEntry(place=place, login=login) for place, login in found if login is not None
    )


def logins_for(name: str, entries: Iterable[PullSecretEntry]) -> tuple[Login, ...]:
    """Return the logins for an image's name, such as `docker.io/library/python`, best first."""
    ordered = sorted(entries, key=lambda entry: entry.place, reverse=True)
    found = [entry.login for entry in ordered if _opens(entry.place, name)]
    if not found and name.partition("/")[0] == _HUB:
        found = [entry.login for entry in ordered if entry.place == _HUBS_OLD_NAME]
    return tuple(dict.fromkeys(found))


def _is_map(value: object) -> bool:
    return isinstance(value, dict)


def _place(written: str) -> str:
    text = written.removeprefix("https://").removeprefix("http://")
    host, slash, path = text.partition("/")
    if path.startswith(("v1/", "v2/")):
        path = path[3:]
    return f"{host}{slash}{path}" if path else host


def _login(said: Mapping[str, object]) -> Login | None:
    """Read `auth`, or else `username` and `password`."""
    auth = said.get("auth")
    if isinstance(auth, str) and auth:
        try:
            # Some write it without the padding.
            words = base64.b64decode(auth + "=" * (-len(auth) % 4)).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return None
        user, colon, secret = words.partition(":")
        # Docker pads with NUL, which is no part of the password.
        return Login(username=user, password=secret.strip("\0")) if colon else None
    username, password = said.get("username"), said.get("password")
    if isinstance(username, str) and username and isinstance(password, str):
        return Login(username=username, password=password)
    return None


def _opens(place: str, name: str) -> bool:
    host, _, path = place.partition("/")
    wanted, _, repository = name.partition("/")
    (pattern, port), (domain, its_port) = split_port(host), split_port(wanted)
    patterns, labels = pattern.split("."), domain.split(".")
    return (
        port == its_port
        and len(patterns) == len(labels)
        and repository.startswith(path)
        and all(fnmatchcase(one, other) for one, other in zip(labels, patterns, strict=True))
    )
