"""A mounted certificate, renewed as the kubelet renews a Secret's volume."""

from __future__ import annotations

import asyncio
import itertools
import json
import ssl
from pathlib import Path

import pytest

from tests.certificate_authority import Authority, Pair
from tests.polling import eventually
from tests.webhook.certificates.handshakes import handshake
from webhook.certificates.files import MountedCertificate
from webhook.certificates.issued import expiry_of

HOST = "hook.ours.svc"
AUTHORITY = Authority()
CA = AUTHORITY.cert.decode()
FIRST, SECOND = (AUTHORITY.signed(HOST) for _ in range(2))


class Volume:
    """The volume of a Secret: files are links into a folder, whose own link changes in one step."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count()

    def put(self, pair: Pair) -> None:
        number = next(self._numbers)
        there = self.folder / f"..data_{number}"
        there.mkdir()
        pair.write(there)
        new = self.folder / "..data_tmp"
        new.symlink_to(there.name)
        new.rename(self.folder / "..data")
        for name in ("tls.crt", "tls.key"):
            link = self.folder / name
            if not link.is_symlink():
                link.symlink_to(f"..data/{name}")


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    return Volume(tmp_path)


def served(certificates: MountedCertificate) -> bytes:
    return handshake(certificates.ssl_context, CA, HOST).encode()


def causes(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        json.dumps(record.__dict__["fields"])
        for record in caplog.records
        if record.levelname == "ERROR"
    ]


async def test_a_renewed_certificate_is_served_to_new_connections(volume: Volume) -> None:
    volume.put(FIRST)
    async with MountedCertificate(volume.folder, look_seconds=0.01) as certificates:
        assert certificates.ready
        assert served(certificates) == FIRST.cert
        for pair in (SECOND, FIRST):
            volume.put(pair)
            await eventually(lambda pair=pair: served(certificates) == pair.cert)  # type: ignore[misc]  # bound at once
            assert certificates.expires == expiry_of(pair.cert.decode())


@pytest.mark.parametrize(
    "broken",
    [
        Pair(cert=FIRST.cert, key=SECOND.key),
        Pair(cert=b"", key=b""),
        Pair(cert=b"\xff", key=SECOND.key),
        Pair(cert=SECOND.cert, key=SECOND.key[:99]),
    ],
)
async def test_a_broken_pair_is_reported_once_and_the_one_before_stays_in_use(
    volume: Volume, broken: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    volume.put(FIRST)
    certificates = MountedCertificate(volume.folder)
    certificates.reload()
    volume.put(broken)

    for _ in range(3):
        certificates.reload()

    assert certificates.ready
    assert served(certificates) == FIRST.cert
    assert len(causes(caplog)) == 1
    assert str(volume.folder) in causes(caplog)[0]

    volume.put(SECOND)
    certificates.reload()
    assert served(certificates) == SECOND.cert


async def test_files_that_vanish_and_come_back_are_served_again(
    volume: Volume, caplog: pytest.LogCaptureFixture
) -> None:
    volume.put(FIRST)
    certificates = MountedCertificate(volume.folder)
    certificates.reload()
    (volume.folder / "..data").unlink()
    certificates.reload()
    certificates.reload()

    assert served(certificates) == FIRST.cert
    assert len(causes(caplog)) == 1
    volume.put(SECOND)
    certificates.reload()
    assert served(certificates) == SECOND.cert


async def test_before_there_is_a_certificate_it_is_not_ready_but_probes_are_answered(
    volume: Volume, caplog: pytest.LogCaptureFixture
) -> None:
    async with MountedCertificate(volume.folder, look_seconds=0.01) as certificates:
        assert not certificates.ready
        assert certificates.expires is None
        assert "cannot read tls.crt or tls.key" in causes(caplog)[0]

        async def closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_server(closed, "127.0.0.1", 0, ssl=certificates.ssl_context)
        port = server.sockets[0].getsockname()[1]
        anybody = ssl.create_default_context()
        anybody.check_hostname = False
        anybody.verify_mode = ssl.CERT_NONE
        async with server:
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=anybody)
            writer.close()
            await writer.wait_closed()
        volume.put(FIRST)
        await eventually(lambda: certificates.ready)
        assert served(certificates) == FIRST.cert


async def test_a_pair_that_is_just_being_replaced_is_not_mixed(tmp_path: Path) -> None:
    """Files without links that are replaced one after the other."""
    FIRST.write(tmp_path)
    certificates = MountedCertificate(tmp_path)
    certificates.reload()

    (tmp_path / "tls.crt").write_bytes(SECOND.cert)
    certificates.reload()
    assert served(certificates) == FIRST.cert
    (tmp_path / "tls.key").write_bytes(SECOND.key)
    certificates.reload()
    assert served(certificates) == SECOND.cert
