"""The state of a rotation in the Secret, beside other keys."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import SetupError
from api.types import Json, JsonObject
from tests.webhook.certificates.certificate_objects import NOW, SERVICE, encoded
from webhook.certificates.issued import IssuedCertificate, Service, mint
from webhook.certificates.rotation import RotationState
from webhook.certificates.stored import KEYS, read_state, with_state

ISSUED = [mint(SERVICE, NOW + 100 * number, 1000.0) for number in range(3)]
issued = st.sampled_from(ISSUED)
moments = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def states(draw: st.DrawFn) -> RotationState:
    current, following = draw(st.tuples(issued, st.none() | issued) | st.tuples(st.none(), issued))
    old = draw(st.lists(issued.map(lambda one: one.ca), unique=True, max_size=2))
    return RotationState(
        current=current,
        next=following,
        old=tuple(old),
        dropping=draw(st.booleans()),
        since=draw(moments),
    )


@given(states(), states())
def test_a_written_state_is_read_back_whatever_the_secret_had_before(
    before: RotationState, state: RotationState
) -> None:
    secret = with_state(with_state({}, before, SERVICE), state, SERVICE)

    assert read_state(secret, SERVICE) == state


def test_other_keys_of_the_secret_stay() -> None:
    secret: JsonObject = {
        "metadata": {"name": "s", "resourceVersion": "7", "labels": {"a": "b"}},
        "type": "Opaque",
        "data": {"theirs": encoded("x"), "next.key": encoded("of an earlier state")},
    }

    written = with_state(secret, RotationState(current=ISSUED[0]), SERVICE)

    assert {**written, "data": None} == {**secret, "data": None}
    data = written["data"]
    assert isinstance(data, dict)
    assert data["theirs"] == encoded("x")
    assert "next.key" not in data
    assert data["tls.crt"] == encoded(ISSUED[0].cert)


@pytest.mark.parametrize("secret", [None, {}, {"data": None}, {"data": {}}, {"data": {"a": "b"}}])
def test_an_empty_secret_has_no_state(secret: JsonObject | None) -> None:
    assert read_state(secret, SERVICE) is None


GOOD = with_state({}, RotationState(current=ISSUED[0], next=ISSUED[1]), SERVICE)["data"]


def damaged(**data: Json) -> JsonObject:
    assert isinstance(GOOD, dict)
    return {"data": {**GOOD, **data}}


@pytest.mark.parametrize(
    "secret",
    [
        {"data": "text"},
        damaged(**{"tls.crt": "no base64!"}),
        damaged(**{"tls.crt": ""}),
        damaged(**{"tls.key": encoded(ISSUED[1].key)}),
        damaged(**{"ca.crt": encoded(ISSUED[1].ca)}),
        damaged(**{"next.crt": encoded("x")}),
        damaged(rotation=encoded("[]")),
        damaged(rotation=encoded("{")),
        damaged(rotation=encoded("[" * 100_000)),
        damaged(rotation="/w=="),
        {"data": {"old-ca.crt": encoded(ISSUED[0].ca)}},
    ],
)
def test_a_damaged_secret_raises_an_error(secret: JsonObject) -> None:
    with pytest.raises(SetupError):
        read_state(secret, SERVICE)


@given(st.dictionaries(st.sampled_from(KEYS), st.text() | st.integers() | st.none()))
def test_any_secret_is_read_or_refused(data: dict[str, Json]) -> None:
    try:
        state = read_state({"data": data}, SERVICE)
    except SetupError:
        return
    assert state is None


def test_a_certificate_for_another_service_is_refused() -> None:
    elsewhere = mint(Service(name="hook", namespace="theirs"), NOW, 1000.0)

    with pytest.raises(SetupError, match=r"not for hook\.ours\.svc"):
        with_state({}, RotationState(current=elsewhere), SERVICE)


def test_a_state_that_could_not_be_read_back_is_not_written() -> None:
    other: IssuedCertificate = replace(ISSUED[0], expires=7.0)

    with pytest.raises(SetupError, match="nothing was written"):
        with_state({}, RotationState(current=other), SERVICE)
