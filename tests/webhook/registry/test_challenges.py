from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import RemoteError
from webhook.registry.challenges import Challenge, parse_challenges, token_address
from webhook.registry.references import parse_reference

HUB = 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/python:pull"'
PYTHON = parse_reference("python:3.12")
LOCAL = parse_reference("localhost:5000/x")


def bearer(**parameters: str) -> Challenge:
    return Challenge(scheme="bearer", parameters=parameters)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], []),
        (["Basic"], [("basic", {})]),
        (['Basic realm="a b"'], [("basic", {"realm": "a b"})]),
        (["BASIC Realm=x , charset=UTF-8"], [("basic", {"realm": "x", "charset": "UTF-8"})]),
        (
            ['Basic realm="x", Bearer realm="https://a/b",service=c'],
            [("basic", {"realm": "x"}), ("bearer", {"realm": "https://a/b", "service": "c"})],
        ),
        (
            ["Basic realm=x", "Bearer realm=y"],
            [("basic", {"realm": "x"}), ("bearer", {"realm": "y"})],
        ),
        (['Bearer realm="a\\"b, c=\\\\d"'], [("bearer", {"realm": 'a"b, c=\\d'})]),
        (
            ['Bearer scope="repository:x:pull,push"'],
            [("bearer", {"scope": "repository:x:pull,push"})],
        ),
        (["Bearer realm=first,realm=second"], [("bearer", {"realm": "first"})]),
        (['realm="nobody\'s"'], []),
        (['Bearer realm="open'], [("bearer", {"realm": ""})]),
        ([""], []),
        (["\x00\x01"], []),
    ],
)
def test_challenges_are_read(
    headers: list[str], expected: list[tuple[str, dict[str, str]]]
) -> None:
    found = [(one.scheme, one.parameters) for one in parse_challenges(headers)]

    assert found == expected


def test_a_token_is_requested_as_the_challenge_says() -> None:
    (challenge,) = parse_challenges([HUB])

    parts = urlsplit(token_address(challenge, PYTHON))

    assert (parts.scheme, parts.netloc, parts.path) == ("https", "auth.docker.io", "/token")
    assert parse_qs(parts.query) == {
        "service": ["registry.docker.io"],
        "scope": ["repository:library/python:pull"],
    }


def test_without_a_scope_the_token_is_requested_for_this_image_only() -> None:
    address = token_address(bearer(realm="https://a/t?x=1"), PYTHON)

    query = parse_qs(urlsplit(address).query)
    assert query == {"x": ["1"], "scope": ["repository:library/python:pull"]}


@pytest.mark.parametrize(
    "realm",
    [
        "",
        "/token",
        "auth.docker.io",
        "http://auth.docker.io/token",
        "http://127.0.0.1:8080/token",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "ftp://x/y",
        "https://",
        "https://[bad",
        "https://x:port/",
        "https://user:password@x/",
    ],
)
def test_no_password_is_sent_without_tls(realm: str) -> None:
    with pytest.raises(RemoteError):
        token_address(bearer(realm=realm), PYTHON)


@pytest.mark.parametrize(
    ("realm", "allowed"),
    [
        ("http://127.0.0.1:5001/token", True),
        ("http://localhost/token", True),
        ("https://auth.example/token", True),
        ("http://auth.example/token", False),
        ("http://169.254.169.254/", False),
    ],
)
def test_a_registry_on_loopback_may_refer_to_loopback_without_tls(
    realm: str, *, allowed: bool
) -> None:
    if allowed:
        assert token_address(bearer(realm=realm), LOCAL).startswith(realm)
    else:
        with pytest.raises(RemoteError, match="only https is allowed"):
            token_address(bearer(realm=realm), LOCAL)


@given(
    st.lists(
        st.text()
        | st.text(alphabet='abB ,="\\/\t')
        | st.sampled_from([HUB, HUB.replace('"', ""), HUB[:-1], HUB * 3])
    )
)
def test_any_header_is_read_and_asks_for_nothing_unsafe(headers: list[str]) -> None:
    for challenge in parse_challenges(headers):
        assert challenge.scheme == challenge.scheme.lower()
        try:
            address = token_address(challenge, PYTHON)
        except RemoteError:
            continue
        assert urlsplit(address).scheme == "https"


@given(
    st.dictionaries(
        st.sampled_from(["realm", "service", "scope", "error"]),
        st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)),
    )
)
def test_quoted_parameters_come_back_as_they_were(parameters: dict[str, str]) -> None:
    def quoted(value: str) -> str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    header = "Bearer " + ", ".join(f"{name}={quoted(value)}" for name, value in parameters.items())

    (challenge,) = parse_challenges([header])
    assert challenge.parameters == parameters
