"""TLS: which clients may connect, and files that do not belong together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import grpc
import grpc.aio
import pytest
from cryptography.hazmat.primitives import serialization
from grpc_health.v1 import health_pb2

from api.errors import SetupError
from dbmanager.server import Server
from dbmanager.service.connection import Connection
from serving.grpc_tls import server_credentials
from serving.server_security import TlsFiles
from tests.certificate_authority import Authority, Pair
from tests.dbmanager.dbmanager_server import LOOPBACK, client_of
from tests.dbmanager.failing_store import FailingStore

HOST = LOOPBACK.host


@pytest.fixture
def authority() -> Authority:
    return Authority()


def files_of(pair: Pair, folder: Path, name: str = "server") -> TlsFiles:
    """Write a certificate and its key; return their paths, NAME.crt and NAME.key."""
    pair.write(folder, name)
    return TlsFiles(cert=folder / f"{name}.crt", key=folder / f"{name}.key")


@asynccontextmanager
async def serving(files: TlsFiles) -> AsyncIterator[str]:
    """Serve with these files; yield the address."""
    connection = Connection(FailingStore())
    await connection.open()
    server = Server(connection)
    address = server.listen(LOOPBACK, server_credentials(files))
    await server.start()
    try:
        yield str(address)
    finally:
        await server.stop(1.0)


async def answers(address: str, credentials: grpc.ChannelCredentials | None) -> bool:
    """Return whether a client gets an answer; otherwise it gets no connection."""
    async with client_of(address, credentials) as client:
        call = client.health.Check(health_pb2.HealthCheckRequest(), timeout=10)
        code = await call.code()
    assert code in {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE}
    return code is grpc.StatusCode.OK


def trusting(authority: Authority, own: Pair | None = None) -> grpc.ChannelCredentials:
    """Return a client's credentials: the authority that it trusts, and its own certificate."""
    if own is None:
        return grpc.ssl_channel_credentials(authority.cert)
    return grpc.ssl_channel_credentials(authority.cert, own.key, own.cert)


async def test_a_client_that_trusts_the_authority_connects_and_plain_text_does_not(
    authority: Authority, tmp_path: Path
) -> None:
    async with serving(files_of(authority.signed(HOST), tmp_path)) as address:
        assert await answers(address, trusting(authority))
        assert not await answers(address, trusting(Authority()))
        assert not await answers(address, None)


async def test_with_a_client_authority_only_clients_with_its_signature_connect(
    authority: Authority, tmp_path: Path
) -> None:
    clients, client_ca = Authority(), tmp_path / "clients.crt"
    client_ca.write_bytes(clients.cert)
    files = replace(files_of(authority.signed(HOST), tmp_path), client_ca=client_ca)
    async with serving(files) as address:
        assert await answers(address, trusting(authority, clients.signed("collector")))
        assert not await answers(address, trusting(authority, authority.signed("stranger")))
        assert not await answers(address, trusting(authority))


def test_a_key_of_another_certificate_is_refused_with_both_files(
    authority: Authority, tmp_path: Path
) -> None:
    first, second = (files_of(authority.signed(HOST), tmp_path, name) for name in ("one", "other"))
    with pytest.raises(SetupError, match=r"--tls-cert: .*one\.crt and --tls-key .*other\.key"):
        server_credentials(replace(first, key=second.key))


def test_an_encrypted_key_is_refused_without_a_prompt_for_its_pass_phrase(
    authority: Authority, tmp_path: Path
) -> None:
    files = files_of(authority.signed(HOST), tmp_path, "locked")
    key = serialization.load_pem_private_key(files.key.read_bytes(), password=None)
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"phrase"),
        )
    )
    with pytest.raises(SetupError, match=r"--tls-key: .*locked\.key is encrypted"):
        server_credentials(files)


def test_the_error_names_a_missing_file(authority: Authority, tmp_path: Path) -> None:
    files = files_of(authority.signed(HOST), tmp_path)
    with pytest.raises(SetupError, match=r"--tls-client-ca: cannot read .*nowhere"):
        server_credentials(replace(files, client_ca=tmp_path / "nowhere"))


def test_a_file_that_is_no_pem_is_named(authority: Authority, tmp_path: Path) -> None:
    files, notes = files_of(authority.signed(HOST), tmp_path), tmp_path / "notes"
    notes.write_text("no certificate\n")
    with pytest.raises(SetupError, match=r"--tls-cert: .*notes"):
        server_credentials(replace(files, cert=notes))
    with pytest.raises(SetupError, match=r"--tls-client-ca: .*notes has no certificates"):
        server_credentials(replace(files, client_ca=notes))


async def test_a_renewed_certificate_serves_new_connections_and_a_broken_one_does_not(
    authority: Authority, tmp_path: Path
) -> None:
    newer = Authority()
    async with serving(files_of(authority.signed(HOST), tmp_path)) as address:
        assert await answers(address, trusting(authority))
        (tmp_path / "server.crt").write_text("half of a certificate")
        assert await answers(address, trusting(authority))

        files_of(newer.signed(HOST), tmp_path)
        assert await answers(address, trusting(newer))
        assert not await answers(address, trusting(authority))
