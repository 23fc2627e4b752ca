"""The issuer is read from the API server's own description."""

from __future__ import annotations

import pytest

from api.errors import Unavailable, UserError
from serving.tokens.discovery import MOST_BYTES, read_issuer
from serving.tokens.key_ring import LEAST_SECONDS, KeyRing
from serving.tokens.verifier import Foreign
from tests.serving.tokens.service_account_tokens import ISSUER, NOW, Issuer, claims, ec_key

KEYS = Issuer({"one": ec_key()})
TOKEN = KEYS.token(claims(), "one")


def test_the_issuer_is_what_the_document_says() -> None:
    assert read_issuer(b'{"issuer": "https://a", "jwks_uri": "https://b"}') == "https://a"


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"nonsense", b"[]", b"{}", b'{"issuer": ""}', b'{"issuer": 1}', b"[" * 100_000),
        b'{"issuer": "a"}' + b" " * MOST_BYTES,
    ],
    ids=range(8),
)
def test_a_document_without_an_issuer_is_refused(text: bytes) -> None:
    with pytest.raises(UserError, match="--auth-issuer"):
        read_issuer(text)


class Server:
    """Names its issuer once it is there."""

    def __init__(self, issuer: str) -> None:
        self.issuer, self.is_there, self.seconds = issuer, True, 0.0
        self.ring = KeyRing(
            self.keys,
            read_issuer_text=self.description,
            now=lambda: NOW,
            clock=lambda: self.seconds,
        )

    async def keys(self) -> bytes:
        return KEYS.key_set()

    async def description(self) -> bytes:
        if not self.is_there:
            raise Unavailable("away")
        return b'{"issuer": "%s"}' % self.issuer.encode()


async def test_tokens_of_the_issuer_that_the_server_names_are_accepted() -> None:
    assert (await Server(ISSUER).ring.identity(TOKEN)).namespace


async def test_tokens_of_another_issuer_are_refused() -> None:
    with pytest.raises(Foreign):
        await Server("https://other").ring.identity(TOKEN)


async def test_before_the_issuer_is_known_no_token_is_accepted_and_none_is_refused() -> None:
    server = Server(ISSUER)
    server.is_there = False
    with pytest.raises(Unavailable, match="cannot check tokens yet: away"):
        await server.ring.identity(TOKEN)

    server.is_there, server.seconds = True, LEAST_SECONDS
    assert (await server.ring.identity(TOKEN)).namespace
