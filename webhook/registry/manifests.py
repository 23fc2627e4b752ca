"""Reads a registry's documents: indexes, manifests and an image's configuration.

OCI's and Docker's documents (version 2, schema 2) have the same fields, so one reader serves both.
Nothing from a registry is trusted: its digest is checked, and so are its form and its types.
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
"""The longest manifest (the OCI's own limit) or configuration."""
_OS: Final = "linux"
# Limits for a registry's texts in messages.
_MOST_SHOWN: Final = 8
_LONGEST_SHOWN: Final = 40
_DIGEST = re.compile(r"(?P<algorithm>sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """The platform that an image is for."""

    os: str
    architecture: str

    def __str__(self) -> str:
        return f"{self.os}/{self.architecture}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """A reference to another document."""

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
    """Read an index or a manifest.

    Raises:
        RemoteError: it is neither an index nor a manifest, or both.
    """
    document = read_document(body)
    manifests, config = document.get("manifests"), document.get("config")
    if isinstance(manifests, list) and config is None and "layers" not in document:
        return Index(tuple(_descriptor(manifest) for manifest in manifests))
    if config is not None and manifests is None:
        return Manifest(_descriptor(config))
    if document.get("schemaVersion") == 1:
        raise RemoteError("the image has Docker's old manifest schema 1; push it again")
    raise RemoteError("the registry's answer is not the manifest of an image")


def choose(index: Index, architectures: tuple[str, ...]) -> Descriptor:
    """Return the image for the first of these architectures that the index has.

    Raises:
        UserError: the index has none of them.
    """
    for architecture in architectures:
        for manifest in index.manifests:
            if manifest.platform == Platform(os=_OS, architecture=architecture):
                return manifest
    for manifest in index.manifests:
        if manifest.platform is None:
            return manifest
    existing = sorted({str(manifest.platform) for manifest in index.manifests})
    existing = [platform[:_LONGEST_SHOWN] for platform in existing[:_MOST_SHOWN]]
    wanted = " or ".join(f"{_OS}/{name}" for name in architectures[:_MOST_SHOWN])
    raise UserError(
        f"the image does not exist for {wanted}, only for {', '.join(existing) or 'no platform'}"
    )


def architectures_of(index: Index) -> tuple[str, ...]:
    """Return the Linux architectures of an index, in its order."""
    platforms = (manifest.platform for manifest in index.manifests)
    return tuple(p.architecture for p in platforms if p is not None and p.os == _OS)


def read_config(body: bytes) -> ImageCommand:
    """Read the command from the configuration of an image.

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
        raise RemoteError("the registry's answer is not the configuration of an image")
    return ImageCommand(entrypoint=_words(config, "Entrypoint"), cmd=_words(config, "Cmd"))


def digest_of(body: bytes) -> str:
    """Return the digest of a document."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def check_digest(body: bytes, digest: str) -> None:
    """Check that a document has this digest.

    Raises:
        RemoteError: it has another, or the digest's algorithm is unknown.
    """
    if not _DIGEST.fullmatch(digest):
        raise RemoteError(f"unknown kind of digest: {digest[:80]!r}")
    algorithm, _, expected = digest.partition(":")
    if hashlib.new(algorithm, body).hexdigest() != expected:
        raise RemoteError(f"the registry's answer does not match its digest {digest}")


def is_digest(text: str) -> bool:
    """Return whether this is a digest that `check_digest` knows."""
    return _DIGEST.fullmatch(text) is not None


def read_document(body: bytes) -> JsonObject:
    """Read a JSON object.

    Raises:
        RemoteError: it is not one.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise RemoteError("the registry's answer is not JSON") from None
    if not isinstance(document, dict):
        raise RemoteError("the registry's answer is not a JSON object")
    return document


def _descriptor(document: object) -> Descriptor:
    if not isinstance(document, dict) or not is_digest(str(document.get("digest"))):
        raise RemoteError("the registry's answer refers to a document without a valid digest")
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
        raise RemoteError(f"the image's {key} is not a list of strings")
    return tuple(str(word) for word in words)
