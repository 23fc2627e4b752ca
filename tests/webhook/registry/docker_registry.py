"""Debian's docker-registry on loopback, in a folder of its own, and how images get into it."""

from __future__ import annotations

import base64
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit, urlunsplit
from urllib.request import Request, build_opener

import pytest
import yaml

from api.types import JsonObject
from tests.webhook.registry.image_documents import Document, Image, digest_of

START_SECONDS = 60.0
USER, PASSWORD = "anna", "open sesame"
# The password by bcrypt at its lowest cost: the registry accepts no other form.
_HASH = "$2b$04$j.ajP8WZUDJlnZstixKxfOObCftUPKp9WJdf6o8lDchXLadJrLHpW"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Registry:
    """A running registry, and a client that pushes images."""

    def __init__(self, port: int, headers: Mapping[str, str] | None = None) -> None:
        self.domain = f"127.0.0.1:{port}"
        self._headers = dict(headers or {})
        self._opener = build_opener()

    def push(self, repository: str, *images: Image, index: Document | None = None, tag: str) -> str:
        """Push images, the last of them or the index by this tag; return the name to pull."""
        for image in images:
            for blob in image.blobs:
                self._push_blob(repository, blob)
            self._push_manifest(repository, image.manifest, image.manifest.digest)
        self._push_manifest(repository, index or images[-1].manifest, tag)
        return f"{self.domain}/{repository}:{tag}"

    def status(self, path: str = "/v2/") -> int:
        """Return its HTTP status; 0: it does not answer."""
        try:
            return int(self._call("GET", path)[0])
        except HTTPError as error:
            error.close()
            return error.code
        except (URLError, ConnectionError):
            return 0

    def _push_blob(self, repository: str, blob: bytes) -> None:
        _, location = self._call("POST", f"/v2/{repository}/blobs/uploads/", b"")
        parts = urlsplit(location)
        digest = urlencode({"digest": digest_of(blob)})
        query = f"{parts.query}&{digest}" if parts.query else digest
        there = urlunsplit(("", "", parts.path, query, ""))
        self._call("PUT", there, blob, "application/octet-stream")

    def _push_manifest(self, repository: str, manifest: Document, name: str) -> None:
        path = f"/v2/{repository}/manifests/{name}"
        status, _ = self._call("PUT", path, manifest.body, manifest.media_type)
        assert status == HTTPStatus.CREATED

    def _call(
        self, method: str, path: str, body: bytes | None = None, media_type: str = "text/plain"
    ) -> tuple[int, str]:
        headers = {**self._headers, "Content-Type": media_type}
        request = Request(f"http://{self.domain}{path}", body, headers, method=method)
        with self._opener.open(request, timeout=START_SECONDS) as answer:
            return answer.status, answer.headers.get("Location", "")


@contextmanager
def docker_registry(
    folder: Path, auth: JsonObject | None = None, headers: Mapping[str, str] | None = None
) -> Iterator[Registry]:
    """Start a registry; skip if Debian's package is not installed."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip(
            "docker-registry is not installed (Debian, Ubuntu: apt-get install docker-registry)"
        )
    port = free_port()
    config: JsonObject = {
        "version": "0.1",
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "storage")}},
        "http": {"addr": f"127.0.0.1:{port}"},
        **({"auth": auth} if auth else {}),
    }
    path = folder / "registry.yml"
    path.write_text(yaml.safe_dump(config))
    registry = Registry(port, headers)
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen([program, "serve", path], stdout=log, stderr=log, cwd=folder)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not registry.status():
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"no registry:\n{(folder / 'log').read_text()}")
            time.sleep(0.02)
        yield registry
    finally:
        process.kill()
        process.wait()


def basic_auth(folder: Path) -> JsonObject:
    """Allow one user, by a password file."""
    path = folder / "htpasswd"
    path.write_text(f"{USER}:{_HASH}\n")
    return {"htpasswd": {"realm": "the test's", "path": str(path)}}


def as_user() -> Mapping[str, str]:
    words = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    return {"Authorization": f"Basic {words}"}
