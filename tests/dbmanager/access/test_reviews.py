"""What the API server answers about a user, over HTTPS."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from api.errors import SetupError, Unavailable
from dbmanager.access.reviews import ReviewedPeople, posting_to
from tests.certificate_authority import Authority

ANNA = {"username": "anna", "uid": "7", "groups": ["team"], "extra": {"scopes": ["all"]}}
AUTHORITY = Authority()


class ApiServer:
    """Answers reviews, and keeps them."""

    def __init__(self) -> None:
        self.users: dict[str, Mapping[str, Any]] = {"good": ANNA}
        self.status: Mapping[str, Any] = {"allowed": True}
        self.reviews: list[tuple[str, Any]] = []

    async def post(self, path: str, document: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.answer(path, document)

    def answer(self, path: str, document: Mapping[str, Any]) -> Mapping[str, Any]:
        self.reviews.append((path, document["spec"]))
        if path.endswith("/tokenreviews"):
            user = self.users.get(document["spec"]["token"])
            return {"status": {"authenticated": user is not None, "user": user or {}}}
        return {"status": self.status}


async def test_a_user_is_asked_about_with_all_attributes_for_get_trials() -> None:
    server = ApiServer()

    assert await ReviewedPeople(server.post).may_read("good", "team-a")
    assert server.reviews == [
        ("/apis/authentication.k8s.io/v1/tokenreviews", {"token": "good"}),
        (
            "/apis/authorization.k8s.io/v1/subjectaccessreviews",
            {
                "user": "anna",
                "uid": "7",
                "groups": ["team"],
                "extra": {"scopes": ["all"]},
                "resourceAttributes": {
                    "verb": "get",
                    "group": "kubeflow.org",
                    "version": "v1beta1",
                    "resource": "trials",
                    "namespace": "team-a",
                },
            },
        ),
    ]


@pytest.mark.parametrize(
    "status", [{}, {"allowed": False}, {"allowed": "true"}, {"allowed": True, "denied": True}]
)
async def test_only_a_clear_answer_allows(status: Mapping[str, Any]) -> None:
    server = ApiServer()
    server.status = status

    assert not await ReviewedPeople(server.post).may_read("good", "team-a")


async def test_no_right_is_asked_about_for_a_token_without_a_user() -> None:
    server = ApiServer()
    server.users["unnamed"] = {"username": ""}

    for token in ("bad", "unnamed"):
        assert not await ReviewedPeople(server.post).may_read(token, "team-a")
    assert all(path.endswith("/tokenreviews") for path, _ in server.reviews)


@pytest.fixture
def over_https(tmp_path: Path) -> Iterator[tuple[ApiServer, str, Path, Path]]:
    """The server, its URL, its authorities and the file of the DB manager's token."""
    api_server = ApiServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known = self.headers["Authorization"] == "Bearer own"
            self.send_response(201 if known else 403)
            self.end_headers()
            self.wfile.write(json.dumps(api_server.answer(self.path, document)).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    context = AUTHORITY.server_context("127.0.0.1")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=lambda: server.serve_forever(0.01))
    thread.start()
    (tmp_path / "ca.crt").write_bytes(AUTHORITY.cert)
    (tmp_path / "token").write_text("own")
    try:
        url = f"https://127.0.0.1:{server.server_port}"
        yield api_server, url, tmp_path / "ca.crt", tmp_path / "token"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_the_reviews_go_to_the_api_server_with_the_programs_own_token(
    over_https: tuple[ApiServer, str, Path, Path],
) -> None:
    server, url, ca, token = over_https
    people = ReviewedPeople(posting_to(url, ca=ca, token=token))
    assert await people.may_read("good", "team-a")
    assert not await people.may_read("bad", "team-a")
    assert len(server.reviews) == 3

    token.write_text("another")
    with pytest.raises(Unavailable, match="tokenreviews answered 403"):
        await people.may_read("good", "team-a")


def test_tokens_of_users_are_never_sent_without_tls() -> None:
    with pytest.raises(SetupError, match="--auth-users: http://api is not an https URL"):
        posting_to("http://api", ca=None, token=None)
