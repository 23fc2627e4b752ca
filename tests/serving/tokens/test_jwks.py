"""A key set gives the keys for RS256 and ES256, and no others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from api.errors import UserError
from serving.tokens.jwks import MOST_BYTES, read_keys
from tests.serving.tokens.service_account_tokens import Issuer, ec_key, jwk, rsa_key

RSA, EC = jwk(rsa_key(), "rsa"), jwk(ec_key(), "ec")


def key_set(*entries: Any) -> bytes:  # noqa: ANN401 - any JSON
    return json.dumps({"keys": entries}).encode()


def test_the_keys_of_the_api_server_are_read_with_their_algorithms() -> None:
    keys = read_keys(Issuer({"a": rsa_key(), "b": ec_key()}).key_set())

    assert {kid: key.algorithm for kid, key in keys.items()} == {"a": "RS256", "b": "ES256"}


@pytest.mark.parametrize(
    "entry",
    [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "x", "alg": "HS256"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "x", "alg": "RS256"},
        {**RSA, "alg": "RS512"},
        {**RSA, "alg": "none"},
        {**RSA, "use": "enc"},
        {**RSA, "kid": ""},
        {**RSA, "kid": 7},
        {**RSA, "n": "AQAB"},
        {**RSA, "n": "!"},
        {**EC, "x": ""},
        jwk(rsa_key(1024), "short"),
        {"kty": "RSA", "kid": "x"},
        [],
        None,
    ],
)
def test_a_key_that_must_not_be_used_is_left_out(entry: Any) -> None:  # noqa: ANN401 - any JSON
    assert set(read_keys(key_set(entry, EC))) == {"ec"}
    with pytest.raises(UserError, match="no key for RS256 or ES256"):
        read_keys(key_set(entry))


def test_a_private_key_in_the_set_is_left_out() -> None:
    private = {**RSA, "d": "AQAB"}

    assert set(read_keys(key_set(private, EC))) == {"ec"}


def test_a_key_on_another_curve_is_left_out() -> None:
    other = jwk(ec.generate_private_key(ec.SECP384R1()), "other")

    assert set(read_keys(key_set(other, EC))) == {"ec"}


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"\xff", b'{"keys": {}}', b"[" * 100_000])
def test_another_text_is_refused(text: bytes) -> None:
    with pytest.raises(UserError):
        read_keys(text)


def test_a_huge_key_set_is_refused() -> None:
    with pytest.raises(UserError, match="more than 100 keys"):
        read_keys(key_set(*[EC] * 101))
    with pytest.raises(UserError, match="bytes"):
        read_keys(b" " * (MOST_BYTES + 1))


@given(
    st.binary()
    | st.recursive(
        st.none() | st.text() | st.integers(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["kid", "kty", "n", "crv"]), inner)
        ),
    ).map(lambda value: json.dumps({"keys": [value]}).encode())
)
def test_no_text_is_anything_but_refused(text: bytes) -> None:
    with pytest.raises(UserError):
        read_keys(text)
