"""Images as a registry stores them: documents by digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from api.types import Json, JsonObject

OCI = "application/vnd.oci.image"
DOCKER = "application/vnd.docker.distribution.manifest"
LAYER = b"a layer that nobody unpacks"


@dataclass(frozen=True, slots=True)
class Document:
    """Bytes with their media type."""

    body: bytes
    media_type: str

    @property
    def digest(self) -> str:
        return digest_of(self.body)

    def descriptor(self, **more: Json) -> JsonObject:
        return {
            "mediaType": self.media_type,
            "digest": self.digest,
            "size": len(self.body),
            **more,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One image for one platform: blobs first, then the manifest that points at them."""

    config: Document
    manifest: Document

    @property
    def blobs(self) -> tuple[bytes, ...]:
        return self.config.body, LAYER


def digest_of(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def document(media_type: str, content: JsonObject) -> Document:
    return Document(json.dumps(content).encode(), media_type)


def image(
    entrypoint: Sequence[str] | None = ("python",),
    cmd: Sequence[str] | None = ("main.py",),
    *,
    architecture: str = "amd64",
    docker: bool = False,
) -> Image:
    """Build an image in OCI's form, or in Docker's."""
    run: dict[str, Json] = {"Env": ["PATH=/bin"]}
    run |= {} if entrypoint is None else {"Entrypoint": list(entrypoint)}
    run |= {} if cmd is None else {"Cmd": list(cmd)}
    content: JsonObject = {
        "os": "linux",
        "architecture": architecture,
        "config": run,
        "rootfs": {"type": "layers", "diff_ids": [digest_of(LAYER)]},
    }
    of_config = (
        "application/vnd.docker.container.image.v1+json" if docker else f"{OCI}.config.v1+json"
    )
    of_layer = (
        "application/vnd.docker.image.rootfs.diff.tar.gzip" if docker else f"{OCI}.layer.v1.tar"
    )
    config = document(of_config, content)
    media_type = f"{DOCKER}.v2+json" if docker else f"{OCI}.manifest.v1+json"
    manifest = document(
        media_type,
        {
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": config.descriptor(),
            "layers": [Document(LAYER, of_layer).descriptor()],
        },
    )
    return Image(config=config, manifest=manifest)


def index(images: dict[str, Document], *, docker: bool = False) -> Document:
    """Build an index of manifests by platform, such as `linux/arm64`."""
    media_type = f"{DOCKER}.list.v2+json" if docker else f"{OCI}.index.v1+json"
    manifests = []
    for platform, manifest in images.items():
        os, architecture = platform.split("/")
        manifests.append(manifest.descriptor(platform={"os": os, "architecture": architecture}))
    content: JsonObject = {"schemaVersion": 2, "mediaType": media_type, "manifests": manifests}
    return document(media_type, content)
