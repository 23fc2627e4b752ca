"""What a registry sends: indexes, manifests and an image's configuration.

Both families are read by their shape, OCI's and Docker's (version 2, schema 2) alike. Nothing that
comes from a registry is trusted before its digest is checked, or believed to be well-formed.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Final

from api.errors import RemoteError, UserError
from api.faults import quoted
from api.types import JsonObject
from webhook.model.images import ImageCommand

ACCEPTED: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
MOST_BYTES: Final = 4 * 1024 * 1024
"""Of a manifest (what the OCI asks of registries), and of a configuration."""
_OS: Final = "linux"
# Of what a registry says, in a message.
_MOST_SHOWN: Final = 8
_LONGEST_SHOWN: Final = 40
_DIGEST = re.compile(r"(?P<algorithm>sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What an image is made for."""

    os: str
    architecture: str

    def __str__(self) -> str:
        return f"{self.os}/{self.architecture}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """Points at another document."""

    digest: str
    platform: Platform | None = None


@dataclass(frozen=True, slots=True)
class Index:
    """One image for several platforms."""

    manifests: tuple[Descriptor, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """One image for one platform."""

    config: Descriptor


def read_manifest(body: bytes) -> Index | Manifest:
    """Read what was asked for by tag or digest.

    Raises:
        RemoteError: it is neither an index nor a manifest, or both.
    """
    document = read_document(body)
    manifests, config = document.get("manifests"), document.get("config")
    if isinstance(manifests, list) and config is None and "layers" not in document:
        return Index(tuple(_descriptor(one) for one in manifests))
    if config is not None and manifests is None:
        return Manifest(_descriptor(config))
    if document.get("schemaVersion") == 1:
        raise RemoteError("the image is of Docker's schema 1, which is history; push it again")
    raise RemoteError("the registry's answer is no manifest of an image")


def choose(index: Index, architectures: tuple[str, ...]) -> Descriptor:
    """Return the image for the first of these architectures that there is one for.

    Raises:
        UserError: there is none.
    """
    for architecture in architectures:
        for one in index.manifests:
            if one.platform == Platform(os=_OS, architecture=architecture):
                return one
    for one in index.manifests:
        if one.platform is None:
            return one
    there = sorted({str(one.platform) for one in index.manifests})
    there = [one[:_LONGEST_SHOWN] for one in there[:_MOST_SHOWN]]
    wanted = " or ".join(f"{_OS}/{one}" for one in architectures[:_MOST_SHOWN])
    raise UserError(
        f"the image is not there for {wanted}, only for {', '.join(there) or 'nothing'}"
    )


def architectures_of(index: Index) -> tuple[str, ...]:
    """Return those that there is an image for, in the index' order."""
    platforms = (one.platform for one in index.manifests)
    return tuple(one.architecture for one in platforms if one is not None and one.os == _OS)


def read_config(body: bytes) -> ImageCommand:
    """Read what an image runs.

    Raises:
        RemoteError: it is not the configuration of an image.
        UserError: the image is not for Linux.
    """
    document = read_document(body)
    if (os := document.get("os", _OS)) != _OS:
        raise UserError(f"the image is for {quoted(str(os)[:_LONGEST_SHOWN])}, not for {_OS}")
    config = document.get("config")
    config = {} if config is None else config
    if not isinstance(config, dict) or not {"rootfs", "config"} & set(document):
        raise RemoteError("the registry's answer is no configuration of an image")
    return ImageCommand(entrypoint=_words(config, "Entrypoint"), cmd=_words(config, "Cmd"))


def digest_of(body: bytes) -> str:
    """Return a document's own name."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def check_digest(body: bytes, digest: str) -> None:
    """See that a document is the one that was asked for.

    Raises:
        RemoteError: it is another, or nobody could tell.
    """
    if not _DIGEST.fullmatch(digest):
        raise RemoteError(f"a digest is of no kind that we know: {digest[:80]!r}")
    algorithm, _, expected = digest.partition(":")
    if hashlib.new(algorithm, body).hexdigest() != expected:
        raise RemoteError(f"the registry's answer is not {digest}: it was changed on its way")


def is_digest(text: str) -> bool:
    """Say whether this is a digest that we can check."""
    return _DIGEST.fullmatch(text) is not None


def read_document(body: bytes) -> JsonObject:
    """Read a JSON object.

    Raises:
        RemoteError: it is none.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise RemoteError("the registry's answer is no JSON") from None
    if not isinstance(document, dict):
        raise RemoteError("the registry's answer is no JSON object")
    return document


def _descriptor(document: object) -> Descriptor:
    if not isinstance(document, dict) or not is_digest(str(document.get("digest"))):
        raise RemoteError("the registry's answer points at something without a digest")
    platform = document.get("platform")
    return Descriptor(
        digest=document["digest"],
        platform=Platform(
            os=str(platform.get("os")), architecture=str(platform.get("architecture"))
        )
        if isinstance(platform, dict)
        else None,
    )


def _words(config: JsonObject, key: str) -> tuple[str, ...]:
    words = config.get(key)
    if words is None:
        return ()
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise RemoteError(f"the image's {key} is no list of texts")
    return tuple(str(word) for word in words)
