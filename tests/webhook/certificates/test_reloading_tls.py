"""New connections get the newest certificate; a bad pair and open connections change nothing."""

from __future__ import annotations

import asyncio
import ssl
import time

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from api.errors import SetupError
from tests.certificate_authority import Authority
from tests.webhook.certificates.certificate_objects import SERVICE
from tests.webhook.certificates.handshakes import certificate_of, connected, handshake
from webhook.certificates.issued import mint
from webhook.certificates.reloading_tls import ReloadingContext

# They are made when pytest collects, and must be valid until the end of a slow run.
FIRST, SECOND = (mint(SERVICE, time.time(), 86_400.0) for _ in range(2))
ENCRYPTED = (
    ec.generate_private_key(ec.SECP256R1())
    .private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"a pass phrase"),
    )
    .decode()
)
BOTH = FIRST.ca + SECOND.ca


@pytest.mark.parametrize("host", [SERVICE.host, None])
def test_each_handshake_gets_the_newest_with_a_name_or_without(host: str | None) -> None:
    newest = ReloadingContext()
    for issued in (FIRST, SECOND, FIRST):
        newest.load(issued.cert, issued.key)
        assert handshake(newest.context, BOTH, host) == issued.cert


def test_without_a_certificate_the_handshake_fails_with_an_alert() -> None:
    with pytest.raises(ssl.SSLError):
        handshake(ReloadingContext().context, BOTH, SERVICE.host)


def test_a_chain_is_served_whole() -> None:
    newest = ReloadingContext()
    newest.load(FIRST.cert + FIRST.ca, FIRST.key)

    assert handshake(newest.context, FIRST.ca, SERVICE.host) == FIRST.cert


@pytest.mark.parametrize(
    ("certs", "key"),
    [
        (FIRST.cert, SECOND.key),
        (FIRST.cert, ""),
        ("", FIRST.key),
        (FIRST.cert, "no key"),
        ("no certificate", FIRST.key),
        (FIRST.cert, FIRST.key[:-60]),
        (FIRST.cert, ENCRYPTED),
    ],
)
def test_a_pair_that_is_not_valid_leaves_the_one_before_in_use(certs: str, key: str) -> None:
    newest = ReloadingContext()
    newest.load(SECOND.cert, SECOND.key)

    with pytest.raises(SetupError, match="cannot use the certificate and its key"):
        newest.load(certs, key)

    assert handshake(newest.context, BOTH, SERVICE.host) == SECOND.cert


def test_connections_older_than_tls_1_2_are_refused() -> None:
    newest = ReloadingContext()
    newest.load(FIRST.cert, FIRST.key)

    assert newest.context.minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_that_connects_again_gets_the_newest_certificate(version: ssl.TLSVersion) -> None:
    newest = ReloadingContext()
    newest.load(FIRST.cert, FIRST.key)
    client = ssl.create_default_context(cadata=BOTH)
    client.maximum_version = version
    before = connected(newest.context, client, SERVICE.host)
    assert before.version() == version.name.replace("_", ".")

    newest.load(SECOND.cert, SECOND.key)
    again = connected(newest.context, client, SERVICE.host, before.session)

    assert certificate_of(again) == SECOND.cert
    assert not again.session_reused


async def test_an_open_connection_goes_on_when_the_certificate_changes() -> None:
    newest = ReloadingContext()
    newest.load(FIRST.cert, FIRST.key)

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=newest.context)
    port = server.sockets[0].getsockname()[1]
    client = ssl.create_default_context(cadata=FIRST.ca)
    async with server:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=client, server_hostname=SERVICE.host
        )
        for issued in (FIRST, SECOND, SECOND):
            newest.load(issued.cert, issued.key)
            writer.write(b"still here\n")
            assert await reader.readline() == b"still here\n"
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection(
                "127.0.0.1", port, ssl=client, server_hostname=SERVICE.host
            )
        writer.close()
        await writer.wait_closed()


def test_certificates_of_other_issuers_are_served_too() -> None:
    authority = Authority()
    pair = authority.signed("hook.ours.svc")
    newest = ReloadingContext()
    newest.load(pair.cert.decode(), pair.key.decode())

    assert handshake(newest.context, authority.cert.decode(), "hook.ours.svc")
