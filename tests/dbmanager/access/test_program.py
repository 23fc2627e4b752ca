"""`python -m dbmanager --auth required`: keys from a file or from the API server, and their change."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import grpc

from tests.certificate_authority import Authority
from tests.dbmanager.access.guarded_server import UID, bearer, numbered
from tests.dbmanager.dbmanager_process import program
from tests.dbmanager.dbmanager_server import Client, client_of, refused
from tests.serving.tokens.service_account_tokens import Issuer, claims, ec_key, rsa_key

POINT = ("2026-01-31T12:00:00Z", "loss", "0.5")
HOST = "127.0.0.1"


def flags(folder: Path, authority: Authority, mode: str) -> tuple[str, ...]:
    """Write the server's certificate; return the flags for it and for the keys."""
    authority.signed(HOST).write(folder)
    tls = ("--tls-cert", str(folder / "tls.crt"), "--tls-key", str(folder / "tls.key"))
    return (*tls, "--auth", mode, "--auth-keys", str(folder / "keys"))


async def reported(client: Client, token: str, sequence: int) -> bool:
    """Report; return whether the DB manager has stored it."""
    try:
        await client.report("trial-1", POINT, metadata=(bearer(token), *numbered(sequence)))
    except grpc.aio.AioRpcError as error:
        assert error.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAUTHENTICATED}  # noqa: PT017 - another code is a failure
        return False
    return True


async def report_until_stored(client: Client, token: str, sequence: int) -> None:
    """Report again and again, as a collector does; the keys are read after ten seconds."""
    async with asyncio.timeout(120):
        while not await reported(client, token, sequence):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.2)


async def test_a_report_waits_for_the_keys_and_goes_on_with_new_ones(tmp_path: Path) -> None:
    authority = Authority()
    old, new = Issuer({"old": ec_key()}), Issuer({"new": rsa_key()})
    now = time.time()
    url = f"sqlite:///{tmp_path}/observations.db"
    with program(tmp_path, url, *flags(tmp_path, authority, "required")) as manager:
        credentials = grpc.ssl_channel_credentials(authority.cert)
        async with client_of(manager.address, credentials) as client:
            first, second = (
                issuer.token(claims(issued=now, pod_uid=UID), kid)
                for issuer, kid in ((old, "old"), (new, "new"))
            )
            assert not await reported(client, first, 1)

            (tmp_path / "keys").write_bytes(old.key_set())
            await report_until_stored(client, first, 1)
            (tmp_path / "keys").write_bytes(new.key_set())
            await report_until_stored(client, second, 2)
            async with refused(grpc.StatusCode.UNAUTHENTICATED, "unknown"):
                await client.report("trial-1", POINT, metadata=(bearer(first), *numbered(3)))
        assert await asyncio.to_thread(manager.end) == 0
