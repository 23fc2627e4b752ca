"""The name of an image, with containerd's meaning.

python                        docker.io/library/python:latest, at registry-1.docker.io
team/trainer:7                docker.io/team/trainer:7
ghcr.io/team/trainer          ghcr.io/team/trainer:latest
localhost:5000/trainer        over plain HTTP, as for every loopback address with a port
trainer:7@sha256:...          the digest counts, and the tag is ignored
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from api.errors import UserError
from api.faults import quoted

_HUB, _HUBS_OLD_NAME, _HUBS_HOST = "docker.io", "index.docker.io", "registry-1.docker.io"
_MOST_CHARACTERS: Final = 600
_MOST_NAME_CHARACTERS: Final = 255
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]{{1,5}})?"
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?P<domain>{_DOMAIN})/(?P<repository>{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?"
    r"(?:@(?P<digest>[a-zA-Z][a-zA-Z0-9]*(?:[-_+.][a-zA-Z][a-zA-Z0-9]*)*:[0-9a-fA-F]{32,}))?",
    re.ASCII,
)
_BARE_ID = re.compile(r"[a-f0-9]{64}")
_HIGHEST_PORT: Final = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReference:
    """The full name of an image."""

    domain: str
    """As written, with its port: `docker.io`, not the host that serves it."""
    repository: str
    tag: str = ""
    digest: str = ""
    """Either the tag or the digest is set."""

    @property
    def name(self) -> str:
        """The name without tag and digest, which pull secrets are matched with."""
        return f"{self.domain}/{self.repository}"

    @property
    def version(self) -> str:
        """The digest or the tag: what to fetch from the registry."""
        return self.digest or self.tag

    @property
    def origin(self) -> str:
        """The registry's address: scheme, host and port."""
        host, port = split_port(self.domain)
        if self.domain == _HUB:
            return f"https://{_HUBS_HOST}"
        # Loopback with a port other than HTTPS': a registry there has no certificate.
        plain = is_loopback(host) and port not in ("", "443")
        return f"{'http' if plain else 'https'}://{self.domain}"

    def __str__(self) -> str:
        mark = f"@{self.digest}" if self.digest else f":{self.tag}"
        return self.name + mark


def parse_reference(image: str) -> ImageReference:
    """Read a container's `image`.

    Raises:
        UserError: it is not the name of an image.
    """
    domain, rest = _split_domain(image)
    match = None
    if len(image) <= _MOST_CHARACTERS and not _BARE_ID.fullmatch(image):
        match = _REFERENCE.fullmatch(f"{domain}/{rest}")
    if match is None or len(f"{domain}/{match['repository']}") > _MOST_NAME_CHARACTERS:
        shown = quoted(image[:_MOST_CHARACTERS])
        raise UserError(
            f"{shown} is not the name of an image; write it as in registry.example/team/trainer:7"
        )
    if int(split_port(domain)[1] or "0") > _HIGHEST_PORT:
        raise UserError(
            f"{quoted(image)}: the port is too large; write one from 1 to {_HIGHEST_PORT}"
        )
    digest = match["digest"] or ""
    tag = "" if digest else match["tag"] or "latest"
    return ImageReference(domain=domain, repository=match["repository"], tag=tag, digest=digest)


def _split_domain(image: str) -> tuple[str, str]:
    """Split a name into registry and repository.

    | the part before the first `/` | it is |
    |---|---|
    | none: the name has no `/` | not a registry |
    | `localhost` | a registry |
    | has a `.` or a `:` | a registry |
    | has a capital letter | a registry: repositories have none |
    | anything else | a user of Docker Hub |
    """
    first, slash, rest = image.partition("/")
    if not slash or not (first == "localhost" or set(".:") & set(first) or first != first.lower()):
        first, rest = _HUB, image
    if first == _HUBS_OLD_NAME:
        first = _HUB
    if first == _HUB and "/" not in rest:
        rest = f"library/{rest}"
    return first, rest


def split_port(domain: str) -> tuple[str, str]:
    """Split `host:port`; the port may be empty. An IPv6 address loses its brackets."""
    host, colon, port = domain.rpartition(":")
    if not colon or port.endswith("]"):
        host, port = domain, ""
    return host.removeprefix("[").removesuffix("]"), port


def is_loopback(host: str) -> bool:
    """Return whether the name of a host is `localhost` or a loopback address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
