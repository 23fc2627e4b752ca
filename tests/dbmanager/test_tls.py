"""TLS: which clients may connect, and files that do not belong together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2

from api.errors import SetupError
from dbmanager.server import Server
from dbmanager.service.connection import Connection
from dbmanager.settings import TlsFiles
from dbmanager.tls import credentials_of
from tests.dbmanager.certificate_authority import Authority, Pair
from tests.dbmanager.dbmanager_server import LOOPBACK, client_of
from tests.dbmanager.failing_store import FailingStore


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


@asynccontextmanager
async def serving(files: TlsFiles) -> AsyncIterator[str]:
    """Serve with these files; yield the address."""
    connection = Connection(FailingStore())
    await connection.open()
    server = Server(connection)
    address = server.listen(LOOPBACK, credentials_of(files))
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
    root = authority.cert.read_bytes()
    if own is None:
        return grpc.ssl_channel_credentials(root)
    return grpc.ssl_channel_credentials(root, own.key.read_bytes(), own.cert.read_bytes())


async def test_a_client_that_trusts_the_authority_connects_and_plain_text_does_not(
    authority: Authority, tmp_path: Path
) -> None:
    own = authority.signed("server")
    async with serving(TlsFiles(cert=own.cert, key=own.key)) as address:
        assert await answers(address, trusting(authority))
        assert not await answers(address, trusting(Authority(tmp_path, "stranger")))
        assert not await answers(address, None)


async def test_with_a_client_authority_only_clients_with_its_signature_connect(
    authority: Authority, tmp_path: Path
) -> None:
    own, clients = authority.signed("server"), Authority(tmp_path, "clients")
    files = TlsFiles(cert=own.cert, key=own.key, client_ca=clients.cert)
    async with serving(files) as address:
        assert await answers(address, trusting(authority, clients.signed("collector")))
        assert not await answers(address, trusting(authority, authority.signed("stranger")))
        assert not await answers(address, trusting(authority))


def test_a_key_of_another_certificate_is_refused_with_both_files(authority: Authority) -> None:
    one, other = authority.signed("one"), authority.signed("other")
    with pytest.raises(SetupError, match=r"--tls-cert: .*one\.pem and --tls-key .*other\.key"):
        credentials_of(TlsFiles(cert=one.cert, key=other.key))


def test_an_encrypted_key_is_refused_without_a_prompt_for_its_pass_phrase(
    authority: Authority,
) -> None:
    own = authority.signed("locked", password=b"phrase")
    with pytest.raises(SetupError, match=r"--tls-key: .*locked\.key is encrypted"):
        credentials_of(TlsFiles(cert=own.cert, key=own.key))


def test_the_error_names_a_missing_file(authority: Authority, tmp_path: Path) -> None:
    own = authority.signed("server")
    with pytest.raises(SetupError, match=r"--tls-client-ca: cannot read .*nowhere"):
        credentials_of(TlsFiles(cert=own.cert, key=own.key, client_ca=tmp_path / "nowhere"))


def test_a_file_that_is_no_pem_is_named(authority: Authority, tmp_path: Path) -> None:
    own, notes = authority.signed("server"), tmp_path / "notes"
    notes.write_text("no certificate\n")
    with pytest.raises(SetupError, match=r"--tls-cert: .*notes"):
        credentials_of(TlsFiles(cert=notes, key=own.key))
    with pytest.raises(SetupError, match=r"--tls-client-ca: .*notes has no certificates"):
        credentials_of(TlsFiles(cert=own.cert, key=own.key, client_ca=notes))
