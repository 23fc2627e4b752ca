"""The key set comes from a file, or over HTTPS from a server with the right certificate."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from api.errors import SetupError, Unavailable, UserError
from serving.tokens.discovery import read_issuer
from serving.tokens.jwks import MOST_BYTES
from serving.tokens.key_source import issuer_source, key_source
from tests.certificate_authority import Authority

AUTHORITY = Authority()


class _ApiServer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = self.headers.get("Authorization") == "Bearer mine"
        status = 302 if self.path == "/moved" else 200 if known else 403
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/jwks")
        self.end_headers()
        if self.path == "/.well-known/openid-configuration":
            self.wfile.write(b'{"issuer": "https://elsewhere.example"}')
            return
        self.wfile.write(b"k" * (2 * MOST_BYTES) if self.path == "/huge" else b"keys")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _api_server(authority: Authority = AUTHORITY) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _ApiServer)
    server.daemon_threads = False
    server.socket = authority.server_context("127.0.0.1").wrap_socket(
        server.socket, server_side=True
    )
    thread = threading.Thread(target=lambda: server.serve_forever(0.01))
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "ca.crt").write_bytes(AUTHORITY.cert)
    (tmp_path / "token").write_text("mine\n")
    return tmp_path


async def test_a_file_is_read_anew_each_time(tmp_path: Path) -> None:
    read = key_source(str(tmp_path / "keys"))
    with pytest.raises(Unavailable, match=r"cannot read .*keys"):
        await read()

    for text in (b"one", b"two"):
        (tmp_path / "keys").write_bytes(text)
        assert await read() == text


async def test_the_api_server_is_asked_with_the_token_of_the_moment(files: Path) -> None:
    with _api_server() as address:
        read = key_source(f"{address}/jwks", ca=files / "ca.crt", token=files / "token")
        assert await read() == b"keys"

        (files / "token").write_text("stale")
        with pytest.raises(Unavailable, match="answered 403"):
            await read()
        (files / "token").write_text("")
        with pytest.raises(UserError, match="has no token"):
            await read()


async def test_the_server_of_the_keys_names_the_issuer(files: Path) -> None:
    with _api_server() as address:
        url, ca = f"{address}/openid/v1/jwks?x=1", files / "ca.crt"
        read = issuer_source(url, ca=ca, token=files / "token")

        assert read_issuer(await read()) == "https://elsewhere.example"


async def test_a_server_with_another_certificate_gets_no_token(files: Path) -> None:
    with _api_server(Authority()) as address:
        read = key_source(f"{address}/jwks", ca=files / "ca.crt", token=files / "token")
        with pytest.raises(Unavailable, match="certificate verify failed"):
            await read()


async def test_a_redirect_is_refused_and_a_huge_answer_is_cut(files: Path) -> None:
    with _api_server() as address:
        sources = [
            key_source(f"{address}/{path}", ca=files / "ca.crt", token=files / "token")
            for path in ("moved", "huge")
        ]
        with pytest.raises(Unavailable, match="answered 302"):
            await sources[0]()
        assert len(await sources[1]()) == MOST_BYTES + 1


@pytest.mark.parametrize("url", ["http://api/jwks", "file:///etc/passwd", "ftp://api"])
def test_keys_come_over_https_only(url: str) -> None:
    with pytest.raises(SetupError, match="is not an https URL"):
        key_source(url)


def test_a_missing_file_of_authorities_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="--auth-keys-ca: cannot read certificates"):
        key_source("https://api/jwks", ca=tmp_path / "none")
