"""Pull secrets: which of their logins are for an image, by the kubelet's rules.

| a secret's entry | is for |
|---|---|
| `registry.example` | every image of this registry |
| `registry.example/team` | images whose name starts with `team`: `team/x`, and `teams/x` too |
| `*.example`, `r?.example` | hosts with as many labels, label by label; port and path are exact |
| `https://registry.example/v1/` | the same as without scheme, `/v1/` and `/v2/` |
| `index.docker.io` | Docker Hub, if no other entry is for it |
"""

from __future__ import annotations

import base64
import binascii
import hashlib
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
    """A registry's user and password."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PullSecretEntry:
    """A login, and the images that it is for."""

    place: str
    """`host[:port][/path]`; the labels of the host may be patterns."""
    login: Login


def read_entries(secret: JsonObject) -> tuple[PullSecretEntry, ...]:
    """Read a Secret object; ignores entries without a valid login.

    Raises:
        UserError: it is not a pull secret, or its data is malformed.
    """
    key = _KEYS.get(str(secret.get("type")))
    data = secret.get("data")
    if key is None or not isinstance(data, dict) or not data.get(key):
        raise UserError(f"not a pull secret: its type must be {' or '.join(_KEYS)}")
    try:
        document = json.loads(base64.b64decode(str(data[key])))
    except (ValueError, RecursionError):
        raise UserError(f"its {key} is not JSON in base64") from None
    logins = document.get("auths") if key == ".dockerconfigjson" and _is_map(document) else document
    if not isinstance(logins, dict):
        raise UserError(f"its {key} has no registries")
    entries = ((_place(key), _login(value)) for key, value in logins.items() if _is_map(value))
    return tuple(
        PullSecretEntry(place=place, login=login) for place, login in entries if login is not None
    )


def logins_for(name: str, entries: Iterable[PullSecretEntry]) -> tuple[Login, ...]:
    """Return the logins for a name such as `docker.io/library/python`; best match first."""
    ordered = sorted(entries, key=lambda entry: entry.place, reverse=True)
    logins = [entry.login for entry in ordered if _opens(entry.place, name)]
    if not logins and name.partition("/")[0] == _HUB:
        logins = [entry.login for entry in ordered if entry.place == _HUBS_OLD_NAME]
    return tuple(dict.fromkeys(logins))


def fingerprint_of(logins: tuple[Login, ...]) -> str:
    """Return a hash that differs for different logins, so that no password is kept."""
    digest = hashlib.sha256()
    for login in logins:
        for word in (login.username, login.password):
            digest.update(f"{len(word)}:{word}".encode(errors="surrogatepass"))
    return digest.hexdigest()


def _is_map(value: object) -> bool:
    return isinstance(value, dict)


def _place(written: str) -> str:
    text = written.removeprefix("https://").removeprefix("http://")
    host, slash, path = text.partition("/")
    if path.startswith(("v1/", "v2/")):
        path = path[3:]
    return f"{host}{slash}{path}" if path else host


def _login(fields: Mapping[str, object]) -> Login | None:
    """Read `auth`, or else `username` and `password`."""
    auth = fields.get("auth")
    if isinstance(auth, str) and auth:
        try:
            # Some tools write it without padding.
            words = base64.b64decode(auth + "=" * (-len(auth) % 4)).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return None
        user, colon, secret = words.partition(":")
        # Docker pads with NUL bytes, which are not part of the password.
        return Login(username=user, password=secret.strip("\0")) if colon else None
    username, password = fields.get("username"), fields.get("password")
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
