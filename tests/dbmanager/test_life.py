"""The life of one DB manager: its ports, the wait for the database, its end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2

from api.errors import SetupError, Unavailable
from api.v1beta1 import api_pb2 as pb
from dbmanager.__main__ import main
from dbmanager.app import run
from dbmanager.settings import Settings
from dbmanager.store.contract import Delivery, NewRow, Receipt, TrialKey
from serving.addresses import Address
from tests.dbmanager.dbmanager_process import program
from tests.dbmanager.dbmanager_server import LOOPBACK, Client, client_of
from tests.dbmanager.failing_store import FailingStore

POINT = ("2026-01-31T12:00:00Z", "loss", "0.5")


class SlowStore(FailingStore):
    """A store whose reports wait until the test releases them."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.let_go = asyncio.Event(), asyncio.Event()

    async def report(
        self, key: TrialKey, rows: Sequence[NewRow], delivery: Delivery | None = None
    ) -> Receipt:
        self.entered.set()
        await self.let_go.wait()
        return await super().report(key, rows, delivery)


@asynccontextmanager
async def running(
    store: FailingStore, folder: Path, *, grace: float = 20.0
) -> AsyncIterator[tuple[Client, asyncio.Task[None]]]:
    """Run a manager in this process; yield a client, and the manager's task."""
    port_file = folder / "port"
    settings = Settings(
        database="",
        listen=LOOPBACK,
        metrics_listen=None,
        grace=timedelta(seconds=grace),
        port_file=port_file,
    )
    life = asyncio.create_task(run(settings, store))
    address = Address(host="127.0.0.1", port=await asyncio.to_thread(_port_in, port_file))
    try:
        async with client_of(address) as client:
            await opened(client)
            yield client, life
    finally:
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)


def _port_in(file: Path) -> int:
    deadline = time.monotonic() + 30
    while not file.exists():
        assert time.monotonic() < deadline, "it does not listen"
        time.sleep(0.001)
    return int(file.read_text())


async def opened(client: Client) -> None:
    """Return when the server has its database."""
    request = health_pb2.HealthCheckRequest()
    async for reply in client.health.Watch(request, timeout=30):
        if reply.status == health_pb2.HealthCheckResponse.SERVING:
            return


async def refusal(client: Client) -> grpc.StatusCode:
    """Call until a call fails; return its code."""
    request = pb.GetObservationLogRequest(trial_name="nobody's")
    code = grpc.StatusCode.OK
    while code is grpc.StatusCode.OK:
        code = await client.manager.GetObservationLog(request).code()
    return code


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_a_report_under_way_is_stored_and_acknowledged_before_the_end(
    tmp_path: Path, how: signal.Signals
) -> None:
    store = SlowStore()
    async with running(store, tmp_path) as (client, life):
        reporting = asyncio.create_task(client.report("trial", POINT))
        await store.entered.wait()
        signal.raise_signal(how)
        # gRPC cancels a request that arrives at this moment and has no handler yet.
        assert await refusal(client) in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
        assert not life.done()
        store.let_go.set()
        await reporting
        await life
    assert (store.reports, store.closed) == (1, 1)


async def test_a_report_that_takes_longer_than_the_grace_is_broken_off(tmp_path: Path) -> None:
    store = SlowStore()
    async with running(store, tmp_path, grace=0.05) as (client, life):
        reporting = asyncio.create_task(client.report("trial", POINT))
        await store.entered.wait()
        signal.raise_signal(signal.SIGTERM)
        await life
        with pytest.raises(grpc.aio.AioRpcError):
            await reporting
    assert (store.reports, store.closed) == (0, 1)


async def test_a_database_that_refuses_ends_it_at_once() -> None:
    store = FailingStore()
    store.failure = SetupError("--database: no permission to create a table")
    settings = Settings(database="", listen=LOOPBACK, metrics_listen=None)
    with pytest.raises(SetupError, match="no permission"):
        await run(settings, store)
    assert store.closed == 1


async def test_a_database_that_does_not_come_in_time_ends_it_where_a_limit_was_set() -> None:
    store = FailingStore()
    store.failure = Unavailable("connection refused")
    limit = timedelta(milliseconds=50)
    settings = Settings(database="", listen=LOOPBACK, metrics_listen=None, connect_timeout=limit)
    with pytest.raises(Unavailable, match=r"--connect-timeout: .*connection refused"):
        await run(settings, store)


async def test_a_limit_that_was_kept_is_forgotten() -> None:
    store = FailingStore()
    settings = Settings(
        database="",
        listen=LOOPBACK,
        metrics_listen=None,
        connect_timeout=timedelta(milliseconds=50),
    )
    life = asyncio.create_task(run(settings, store))
    done, _ = await asyncio.wait({life}, timeout=0.2)
    assert not done
    signal.raise_signal(signal.SIGTERM)
    await life


def test_a_port_that_another_program_has_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        flags = ("--listen", where, "--metrics-listen=off", f"--database=sqlite:///{tmp_path}/db")
        command = (sys.executable, "-m", "dbmanager", *flags)
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1].startswith(
        f"dbmanager: --listen: cannot listen on {where}"
    )


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--databse", "x"], 'unknown flag "--databse"; did you mean "--database"?'),
        (
            ["--database", "oracle://u:secret@h/db"],
            "does not name a database; write sqlite:///FILE",
        ),
        (["--database", "postgresql://u:secret@[::1/db"], "--database: cannot read the URL"),
        (["--listen", "here"], '--listen: "here" is not an address'),
        (["--tls-cert", "cert.pem"], "--tls-key is missing"),
    ],
)
def test_a_wrong_command_line_ends_with_2_and_one_sentence(
    capsys: pytest.CaptureFixture[str], argv: list[str], words: str
) -> None:
    assert main(argv) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("dbmanager: ")
    assert words in line
    assert "secret" not in line


def test_missing_tables_end_it_where_the_environment_forbids_to_create_them(tmp_path: Path) -> None:
    flags = ("--listen=127.0.0.1:0", "--metrics-listen=off", f"--database=sqlite:///{tmp_path}/db")
    command = (sys.executable, "-m", "dbmanager", *flags)
    environ = {**os.environ, "SKIP_DB_INITIALIZATION": "true"}
    ended = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environ, timeout=60
    )
    assert ended.returncode == 2
    assert "SKIP_DB_INITIALIZATION" in ended.stderr.splitlines()[-1]


def test_help_is_a_success_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("usage: python -m dbmanager")
    assert said.err == ""


def _names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_the_program_ends_with_0_on_sigterm_and_its_log_is_json(tmp_path: Path) -> None:
    with program(tmp_path, f"sqlite:///{tmp_path}/observations.db") as manager:
        async with client_of(manager.address) as client:
            await opened(client)
            await client.report("trial", POINT)
        assert await asyncio.to_thread(manager.end) == 0
    lines = [json.loads(line) for line in manager.log.read_text().splitlines()]
    assert [line["message"] for line in lines] == [
        "listening",
        "connected to the database",
        "ending: refusing new requests, finishing requests under way",
        "ended",
    ]
    assert all(line["time"].endswith("Z") and line["level"] == "info" for line in lines)
    # The write-ahead log is merged into the file.
    assert _names_in(tmp_path) == ["log", "observations.db", "observations.db-reserve", "port"]
