"""The program in the browser, as `make ui` has built it."""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from aiohttp import web

FOLDER: Final = Path(__file__).resolve().parents[1] / "dist"
NOT_BUILT: Final = (
    "The pages are not built in this folder: run `make ui` once, then load this page again."
    " (A wheel or an image of trialwatch has them.)"
)
_PAGE: Final = "index.html"
_BASE: Final = b"__BASE__"


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    kind: str
    tag: str


class BuiltFiles:
    """The files of a folder."""

    def __init__(self, folder: Path = FOLDER, base: str = "/") -> None:
        """`base`: the path under which a browser finds the pages."""
        self._folder, self._base = folder, base

    async def serve(self, request: web.Request) -> web.Response:
        """Answer with a file; every other path is the page, which reads the path itself."""
        name = request.path.strip("/")
        if "/" not in name and "." in name and (self._folder / name).is_file():
            file = self._file(name)
        elif not (self._folder / _PAGE).is_file():
            return web.Response(text=f"{NOT_BUILT}\n", status=HTTPStatus.SERVICE_UNAVAILABLE)
        else:
            file = self._file(_PAGE)
        if request.headers.get("If-None-Match") == file.tag:
            return web.Response(status=HTTPStatus.NOT_MODIFIED)
        response = web.Response(
            body=file.content,
            content_type=file.kind,
            charset="utf-8" if file.kind.startswith("text/") else None,
            headers={"ETag": file.tag, "Cache-Control": "no-cache"},
        )
        response.enable_compression()
        return response

    def _file(self, name: str) -> _File:
        path = self._folder / name
        content = path.read_bytes()
        if name == _PAGE:
            content = content.replace(_BASE, self._base.encode())
        tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
        return _File(content, mimetypes.guess_type(name)[0] or "application/octet-stream", tag)
