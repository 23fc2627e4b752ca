"""Keys are read when they are needed, and never more often than the limit allows."""

from __future__ import annotations

import asyncio

import pytest

from api.errors import Unavailable
from serving.tokens import key_ring
from serving.tokens.jwks import Keys
from serving.tokens.key_ring import LEAST_SECONDS, RENEW_SECONDS, KeyRing
from serving.tokens.verifier import Identity, Refused, UnknownKey, verify
from tests.serving.tokens.service_account_tokens import (
    HOUR,
    ISSUER,
    NOW,
    Issuer,
    claims,
    rsa_key,
)

OLD, NEW, FORGED = (Issuer({kid: rsa_key()}) for kid in ("old", "new", "forged"))
OLDS, NEWS, FORGERY = (
    OLD.token(claims(), "old"),
    NEW.token(claims(), "new"),
    FORGED.token(claims(), "forged"),
)


class Cluster:
    """A source of keys whose answer a test chooses, and a clock that a test moves."""

    def __init__(self) -> None:
        self.issuer: Issuer | None = OLD
        self.reads = 0
        self.seconds = 0.0
        self.ring = KeyRing(self.read, issuer=ISSUER, now=lambda: NOW, clock=lambda: self.seconds)

    async def read(self) -> bytes:
        self.reads += 1
        await asyncio.sleep(0)
        if self.issuer is None:
            raise Unavailable("the API server did not answer")
        return self.issuer.key_set()


async def test_keys_are_read_once_for_many_tokens() -> None:
    cluster = Cluster()

    await asyncio.gather(*(cluster.ring.identity(OLDS) for _ in range(20)))

    assert cluster.reads == 1


async def test_a_signature_is_checked_once_for_each_key_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checks: list[str] = []

    def counting(token: str, *keys: Keys, issuer: str, now: float) -> Identity:
        checks.append(token)
        return verify(token, *keys, issuer=issuer, now=now)

    monkeypatch.setattr(key_ring, "verify", counting)
    cluster = Cluster()
    for _ in range(5):
        assert (await cluster.ring.identity(OLDS)).namespace == "team-a"
        with pytest.raises(Refused):
            await cluster.ring.identity(OLDS[:-4] + "AAAA")
    assert (checks.count(OLDS), len(checks)) == (1, 6)

    cluster.seconds += RENEW_SECONDS
    await cluster.ring.identity(OLDS)
    assert checks.count(OLDS) == 2


async def test_a_removed_key_ends_tokens_that_were_checked_before() -> None:
    cluster = Cluster()
    await cluster.ring.identity(OLDS)
    cluster.issuer, cluster.seconds = NEW, RENEW_SECONDS

    with pytest.raises(UnknownKey):
        await cluster.ring.identity(OLDS)


async def test_a_token_of_a_new_key_makes_the_keys_new() -> None:
    cluster = Cluster()
    await cluster.ring.identity(OLDS)
    cluster.issuer, cluster.seconds = NEW, LEAST_SECONDS

    await asyncio.gather(*(cluster.ring.identity(NEWS) for _ in range(20)))

    assert cluster.reads == 2
    with pytest.raises(UnknownKey):
        await cluster.ring.identity(OLDS)


async def test_forged_tokens_cause_no_more_reads_than_the_limit() -> None:
    cluster = Cluster()
    for _ in range(1000):
        cluster.seconds += 0.1
        with pytest.raises(UnknownKey):
            await cluster.ring.identity(FORGERY)

    assert cluster.reads <= 1 + 100 / LEAST_SECONDS


async def test_a_key_that_was_removed_ends_after_a_while() -> None:
    cluster = Cluster()
    await cluster.ring.identity(OLDS)
    cluster.issuer = NEW

    cluster.seconds = RENEW_SECONDS - 1
    await cluster.ring.identity(OLDS)
    cluster.seconds = RENEW_SECONDS
    with pytest.raises(UnknownKey):
        await cluster.ring.identity(OLDS)


async def test_while_the_api_server_is_away_the_last_keys_stay() -> None:
    cluster = Cluster()
    await cluster.ring.identity(OLDS)
    cluster.issuer = None

    for hour in range(1, 24):
        cluster.seconds = hour * HOUR
        await cluster.ring.identity(OLDS)


async def test_without_any_keys_the_caller_is_asked_to_try_again() -> None:
    cluster = Cluster()
    cluster.issuer = None
    with pytest.raises(Unavailable, match="cannot check tokens yet: the API server did not answer"):
        await cluster.ring.identity(OLDS)

    cluster.issuer, cluster.seconds = OLD, LEAST_SECONDS
    await cluster.ring.identity(OLDS)


async def test_a_token_that_is_no_token_is_refused_before_any_key_is_known() -> None:
    cluster = Cluster()
    cluster.issuer = None

    with pytest.raises(Refused):
        await cluster.ring.identity("none")


async def test_while_the_keys_are_read_again_other_calls_use_the_last_ones() -> None:
    cluster, answered = Cluster(), asyncio.Event()
    await cluster.ring.identity(OLDS)
    read_at_once = cluster.read

    async def slow() -> bytes:
        await answered.wait()
        return await read_at_once()

    cluster.ring._read_text = slow  # noqa: SLF001 - a source that becomes slow
    cluster.seconds = RENEW_SECONDS
    first = asyncio.create_task(cluster.ring.identity(OLDS))
    await asyncio.sleep(0)

    await cluster.ring.identity(OLDS)
    assert not first.done()
    answered.set()
    await first
