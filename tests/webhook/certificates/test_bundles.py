"""A shared bundle: own authorities come and go at its end, and the rest stays byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.certificate_authority import Authority
from tests.webhook.certificates.certificate_objects import (
    NOW,
    SERVICE,
    bundle_of,
    configuration,
    webhook_entry,
)
from webhook.certificates.bundles import (
    bundles_of,
    own_authorities_in,
    split_bundle,
    trust_patch,
    with_own_authorities,
)
from webhook.certificates.issued import Service, mint

OURS = [mint(SERVICE, NOW, 1000.0).ca for _ in range(3)]
OTHER_SERVICE = Service(name="hook", namespace="theirs")
OTHERS = [Authority().cert.decode(), mint(OTHER_SERVICE, NOW, 1000.0).ca]
PIECES = [
    *OURS,
    *OTHERS,
    *(one.replace("\n", "\r\n") for one in (OURS[0], OTHERS[0])),
    "# a remark\n",
    "\n",
    "-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n",
    "-----BEGIN CERTIFICATE-----\n",
    "no newline at the end",
]
bundles = st.lists(st.sampled_from(PIECES) | st.text(), max_size=6).map("".join)
authorities = st.lists(st.sampled_from(OURS), unique=True, max_size=3)


@given(bundles)
def test_nothing_is_lost_when_a_bundle_is_taken_apart(text: str) -> None:
    assert "".join(piece for _, piece in split_bundle(text).pieces) == text


@given(bundles, authorities)
def test_a_bundle_gets_the_given_own_authorities_and_no_other_own_ones(
    text: str, wanted: list[str]
) -> None:
    after = with_own_authorities(split_bundle(text), wanted, SERVICE)

    assert set(own_authorities_in(split_bundle(after), SERVICE)) == set(wanted)
    assert with_own_authorities(split_bundle(after), wanted, SERVICE) == after


@given(bundles, authorities)
def test_other_certificates_and_comments_stay(text: str, wanted: list[str]) -> None:
    after = with_own_authorities(split_bundle(text), wanted, SERVICE)

    def of_others(one: str) -> str:
        kept = split_bundle(one).only(lambda cert: cert not in OURS)
        return kept.rstrip() if kept.strip() else ""

    assert of_others(after).startswith(of_others(text))
    assert of_others(after).rstrip() == of_others(text)


def test_an_own_authority_is_appended() -> None:
    text = with_own_authorities(split_bundle("".join(OTHERS)), OURS[:2], SERVICE)

    assert text == "".join((*OTHERS, *OURS[:2]))


@pytest.mark.parametrize("empty", ["", "\n", " \n\n"])
def test_a_placeholder_is_replaced(empty: str) -> None:
    assert with_own_authorities(split_bundle(empty), OURS[:1], SERVICE) == OURS[0]


def test_a_patch_changes_only_the_entries_for_the_service() -> None:
    document = configuration(
        webhook_entry(),
        webhook_entry(OTHERS[0]),
        webhook_entry(OTHERS[1], OTHER_SERVICE),
        {"name": "by.url", "clientConfig": {"url": "https://localhost:8443/mutate-pod"}},
    )
    document = {**document, "metadata": {"name": "hook", "resourceVersion": "7"}}

    patch = trust_patch(document, OURS[:1], SERVICE)

    patched = {**document, **patch}
    assert bundle_of(patched, 0) == OURS[0]
    assert bundle_of(patched, 1) == OTHERS[0] + OURS[0]
    before, after = document["webhooks"], patched["webhooks"]
    assert isinstance(before, list)
    assert isinstance(after, list)
    assert after[2:] == before[2:]
    assert patch["metadata"] == {"resourceVersion": "7"}
    assert len(list(bundles_of(document, SERVICE))) == 2


@pytest.mark.parametrize(
    "webhooks",
    [
        None,
        {},
        "text",
        [None, 7, {}, {"clientConfig": None}, {"clientConfig": {"service": "hook"}}],
        [{"clientConfig": {"service": {"name": "hook"}}}],
    ],
)
def test_a_malformed_configuration_has_no_bundle(webhooks: object) -> None:
    document = {"webhooks": webhooks}

    assert list(bundles_of(document, SERVICE)) == []  # type: ignore[arg-type]  # any JSON
    assert trust_patch(document, OURS, SERVICE)["webhooks"] == (  # type: ignore[arg-type]  # any JSON
        webhooks if isinstance(webhooks, list) else []
    )
