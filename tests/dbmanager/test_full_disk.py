"""The DB manager on a real disk that is full: it says so, reads and deletes, and recovers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2

from api.report_limits import LONGEST_VALUE
from tests.dbmanager.database_servers import free_port
from tests.dbmanager.dbmanager_server import Client, client_of
from tests.dbmanager.persistent_writers import opened

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
DISK = "24m"
POINT = ("2026-01-31T12:00:00Z", "loss", "7" * LONGEST_VALUE)
SCRIPT = 'mount -t tmpfs -o size={size} none {disk} && exec "$@"'


@contextmanager
def manager_on_a_small_disk(folder: Path) -> Iterator[str]:
    """Run a DB manager whose database is on a disk of its own, in a mount namespace."""
    disk = folder / "disk"
    disk.mkdir()
    address = f"127.0.0.1:{free_port()}"
    mount = SCRIPT.format(size=DISK, disk=disk)
    words = ("--database", f"sqlite:///{disk}/small.db", "--listen", address)
    manager = (sys.executable, "-m", "dbmanager", *words, "--metrics-listen", "off")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ("unshare", "-rm", "sh", "-c", mount, "sh", *manager), stderr=log
        )
    try:
        yield address
    finally:
        process.terminate()
        process.wait(60)


async def fill(client: Client) -> grpc.aio.AioRpcError:
    """Report until the manager refuses."""
    for number in range(10_000):
        try:
            await client.report(f"trial-{number % 4}", *[POINT] * 100)
        except grpc.aio.AioRpcError as error:
            return error
    raise AssertionError("the disk never became full")


async def health(client: Client, service: str = "") -> tuple[int, str]:
    call = client.health.Check(health_pb2.HealthCheckRequest(service=service))
    status = (await call).status
    return status, str(dict(await call.trailing_metadata()).get("trialwatch-cause", ""))


async def test_a_full_disk_is_reported_deletes_make_room_and_reports_are_stored_again(
    tmp_path: Path,
) -> None:
    with manager_on_a_small_disk(tmp_path) as address:
        async with client_of(address) as client:
            await opened(client.manager)
            refused = await fill(client)

            assert refused.code() is grpc.StatusCode.UNAVAILABLE
            assert "has no room" in (refused.details() or "")
            status, cause = await health(client)
            assert status == SERVING, "else Kubernetes keeps the deletes away"
            assert "has no room" in cause
            assert (await health(client, "api.v1.beta1.DBManager"))[0] == NOT_SERVING
            assert len(await client.get("trial-0")) % 100 == 0

            await client.delete("trial-0")
            await client.delete("trial-1")
            assert await client.get("trial-0") == []
            await client.report("again", POINT)
            assert len(await client.get("again")) == 1
            assert await health(client, "api.v1.beta1.DBManager") == (SERVING, "")
    log = (tmp_path / "log").read_text()
    assert log.count('"the database is full: reports are refused, deletes are not"') == 1
    assert '"the database has room again"' in log
    assert '"trace"' not in log
