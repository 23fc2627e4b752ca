"""Only a token that a key of the set has signed, with Kubernetes' claims, proves an identity."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from dataclasses import replace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from serving.tokens.jwks import Keys, read_keys
from serving.tokens.verifier import (
    CLOCK_SKEW,
    LONGEST_TOKEN,
    Expired,
    Foreign,
    Identity,
    Refused,
    UnknownKey,
    check_time,
    verify,
)
from tests.serving.tokens.service_account_tokens import (
    HOUR,
    ISSUER,
    NOW,
    Issuer,
    claims,
    ec_key,
    part,
    rsa_key,
)

API_SERVER = Issuer({"one": rsa_key(), "two": ec_key()})
KEYS = read_keys(API_SERVER.key_set())


def identity(token: str, keys: Keys = KEYS, now: float = NOW) -> Identity:
    return verify(token, keys, issuer=ISSUER, now=now)


@pytest.mark.parametrize("kid", ["one", "two"])
def test_a_token_of_the_api_server_is_its_pods_identity(kid: str) -> None:
    assert identity(API_SERVER.token(claims(), kid)) == Identity(
        audiences=("trialwatch.dev/team-a/trial-1",),
        namespace="team-a",
        service_account="default",
        pod="trial-1-x",
        pod_uid="11111111-2222-3333-4444-555555555555",
        expires=NOW + HOUR,
    )


def test_a_token_that_is_bound_to_no_pod_has_no_uid() -> None:
    assert not identity(API_SERVER.token(claims(pod_uid=""))).pod_uid


@pytest.mark.parametrize("kid", ["one", "two"])
def test_a_token_that_another_key_has_signed_is_refused(kid: str) -> None:
    stranger = Issuer({"one": rsa_key(), "two": ec_key()})

    with pytest.raises(Refused, match="signature is wrong"):
        identity(stranger.token(claims(), kid))


def test_a_token_under_the_id_of_another_key_of_the_set_is_refused() -> None:
    two = Issuer({"one": API_SERVER.keys["two"], "two": API_SERVER.keys["one"]})

    for kid in ("one", "two"):
        with pytest.raises(Refused, match="algorithm is not that of its key"):
            identity(two.token(claims(), kid))


def test_a_token_without_a_signature_is_refused() -> None:
    for algorithm in ("none", "None", "nOnE"):
        unsigned = f"{part({'alg': algorithm, 'kid': 'one'})}.{part(claims())}."
        with pytest.raises(Refused):
            identity(unsigned)


def test_a_token_that_is_signed_with_the_public_key_as_a_secret_is_refused() -> None:
    public = API_SERVER.keys["one"].public_key()
    for encoding, form in (
        (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
    ):
        secret = public.public_bytes(encoding, form)
        signed = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(claims())}"
        digest = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        with pytest.raises(Refused, match="algorithm is not that of its key"):
            identity(f"{signed}.{urlsafe_b64encode(digest).rstrip(b'=').decode()}")


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
def test_another_algorithm_of_the_right_key_is_refused(algorithm: str) -> None:
    token = jwt.encode(claims(), API_SERVER.keys["one"], algorithm, headers={"kid": "one"})

    with pytest.raises(Refused, match="algorithm is not that of its key"):
        identity(token)


def test_changed_claims_are_refused() -> None:
    header, _, signature = API_SERVER.token(claims()).split(".")

    with pytest.raises(Refused, match="signature is wrong"):
        identity(f"{header}.{part(claims('team-b'))}.{signature}")


def test_a_key_that_is_unknown_is_distinguished() -> None:
    with pytest.raises(UnknownKey, match='"three" is unknown'):
        identity(Issuer({"three": rsa_key()}).token(claims(), "three"))


def test_a_key_inside_the_token_is_never_used() -> None:
    stranger = Issuer({"one": rsa_key()})
    entry = json.loads(stranger.key_set())["keys"][0]

    with pytest.raises(Refused, match="signature is wrong"):
        identity(stranger.token(claims(), jwk=entry, jku="https://evil.example", x5u="file:///"))


def test_a_token_of_another_cluster_is_foreign() -> None:
    with pytest.raises(Foreign, match="issuer is"):
        identity(API_SERVER.token(claims(iss="https://elsewhere.example")))


@pytest.mark.parametrize("begin", ["nbf", "iat"])
def test_a_token_of_the_future_is_refused_unless_clocks_differ_a_little(begin: str) -> None:
    with pytest.raises(Refused, match="not valid yet"):
        identity(API_SERVER.token({**claims(), begin: int(NOW + CLOCK_SKEW + 1)}))
    soon = identity(API_SERVER.token({**claims(), begin: int(NOW + CLOCK_SKEW)}))
    assert soon.namespace == "team-a"


def test_an_expired_token_counts_for_its_leeway_and_no_second_longer() -> None:
    ended = identity(API_SERVER.token(claims()), now=NOW + 10 * HOUR)

    check_time(ended, now=NOW + HOUR + CLOCK_SKEW)
    check_time(ended, now=NOW + 2 * HOUR, leeway=HOUR)
    with pytest.raises(Expired, match="expired 61 s ago"):
        check_time(ended, now=NOW + HOUR + CLOCK_SKEW + 1)
    with pytest.raises(Expired):
        check_time(ended, now=NOW + 2 * HOUR + 1, leeway=HOUR)


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in claims().items() if key != name}


@pytest.mark.parametrize(
    "wrong",
    [
        *map(without, ("aud", "exp", "iss", "sub", "kubernetes.io")),
        claims(sub="system:serviceaccount:team-b:default"),
        claims(exp="soon"),
        claims(exp=True),
        claims(exp=float("inf")),
        claims(exp=10**400),
        claims(nbf=[]),
        claims(aud=[1]),
        claims(aud=None),
        {**claims(), "kubernetes.io": []},
        {**claims(), "kubernetes.io": {"namespace": ["team-a"]}},
        {**claims(), "kubernetes.io": {"namespace": "team-a", "serviceaccount": "default"}},
    ],
)
def test_claims_that_kubernetes_never_writes_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        identity(API_SERVER.token(wrong))


def test_a_huge_token_is_refused_by_its_length_before_it_is_read() -> None:
    with pytest.raises(Refused, match=f"more than {LONGEST_TOKEN} characters"):
        identity("a" * 50_000_000)


def test_deep_nesting_is_refused() -> None:
    deep = urlsafe_b64encode(b'{"alg":' + b"[" * 5000).decode()

    with pytest.raises(Refused):
        identity(f"{deep}.e30.AA")


@given(
    st.text()
    | st.lists(st.binary(), min_size=3, max_size=3).map(
        lambda parts: ".".join(urlsafe_b64encode(one).decode().rstrip("=") for one in parts)
    )
)
def test_no_text_is_anything_but_refused(text: str) -> None:
    with pytest.raises(Refused):
        identity(text)


TOKEN = API_SERVER.token(claims())


@given(st.integers(0, len(TOKEN) - 1), st.characters(codec="ascii"))
def test_a_token_with_one_other_character_is_refused(position: int, other: str) -> None:
    changed = TOKEN[:position] + other + TOKEN[position + 1 :]
    try:
        found = identity(changed)
    except Refused:
        return
    # The last character of a base64 text has bits that mean nothing.
    assert found == identity(TOKEN)
    assert changed == TOKEN or position == len(TOKEN) - 1


@given(st.dictionaries(st.sampled_from(sorted(claims())), st.none() | st.integers() | st.text()))
def test_signed_claims_of_any_kind_are_an_identity_or_refused(changes: dict[str, Any]) -> None:
    token = API_SERVER.token({**claims(), **changes}, "two")
    try:
        found = identity(token)
    except Refused:
        return
    assert replace(found, audiences=(), expires=0) == replace(
        identity(TOKEN), audiences=(), expires=0
    )
