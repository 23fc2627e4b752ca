"""Only the pages themselves, with their token, may use the API."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from api.errors import SetupError
from serving.addresses import Address
from tests.ui.server.pages_client import EXPERIMENT, opened, with_experiment
from ui.server.security import check_listen

OWN = {"X-Trialwatch": "1"}
WISH = {"text": "loss=1", "metrics": ["loss"]}


@pytest.mark.parametrize("token", ["", "wrong", "t0ken-of-the-tes", "t0ken-of-the-test2", "é"])
@pytest.mark.parametrize(
    "path", [EXPERIMENT, "/api/v1/openapi.json", "/api/v1/stream", "/api/v1/x"]
)
async def test_a_call_without_the_token_is_refused(token: str, path: str) -> None:
    async with opened(await with_experiment(), token=token) as client, client.get(path) as answer:
        assert answer.status == HTTPStatus.UNAUTHORIZED
        assert "the token is missing or wrong" in (await answer.json())["error"]
        assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_token_of_bytes_that_are_not_text_is_refused() -> None:
    async with (
        opened(await with_experiment(), token="\udcff") as client,
        client.get(EXPERIMENT) as answer,
    ):
        assert answer.status == HTTPStatus.UNAUTHORIZED


async def test_the_token_is_in_no_cookie() -> None:
    async with opened(await with_experiment()) as client, client.get(EXPERIMENT) as answer:
        assert answer.status == HTTPStatus.OK
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "8.8.8.8"]
)
async def test_a_name_of_another_site_for_this_address_is_refused(host: str) -> None:
    async with opened(await with_experiment()) as client:
        for path in ("/", EXPERIMENT):
            async with client.get(path, headers={"Host": host}) as answer:
                assert answer.status == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("host", ["localhost:81", "127.0.0.1", "[::1]:9", "127.3.2.1:9"])
async def test_this_machine_may_be_called_by_each_of_its_own_names(host: str) -> None:
    async with (
        opened(await with_experiment()) as client,
        client.get(EXPERIMENT, headers={"Host": host}) as answer,
    ):
        assert answer.status == HTTPStatus.OK


async def test_a_write_from_the_pages_is_answered() -> None:
    async with (
        opened(await with_experiment()) as client,
        client.post("/api/v1/metrics-format", json=WISH, headers=OWN) as answer,
    ):
        assert answer.status == HTTPStatus.OK
        assert (await answer.json())["points"][0]["value"] == "1"


async def test_a_write_from_another_page_is_refused() -> None:
    async with opened(await with_experiment()) as client:
        headers = {**OWN, "Origin": "http://evil.example"}
        async with client.post("/api/v1/metrics-format", json=WISH, headers=headers) as answer:
            assert answer.status == HTTPStatus.FORBIDDEN
        async with client.post("/api/v1/metrics-format", json=WISH) as answer:
            assert answer.status == HTTPStatus.FORBIDDEN
            assert "X-Trialwatch" in (await answer.json())["error"]
        async with client.post("/api/v1/metrics-format", data="x", headers=OWN) as answer:
            assert answer.status == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("path", ["/", "/e/a/b", EXPERIMENT, "/api/v1/nothing"])
async def test_each_answer_limits_what_a_page_may_do(path: str) -> None:
    async with opened(await with_experiment()) as client, client.get(path) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self';")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Server"] == "trialwatch"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "example.org"])
def test_an_address_that_other_machines_reach_is_refused(host: str) -> None:
    with pytest.raises(SetupError, match="can be reached by other machines"):
        check_listen(Address(host=host, port=80))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_a_loopback_address_is_accepted(host: str) -> None:
    check_listen(Address(host=host, port=80))
