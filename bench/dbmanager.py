"""The DB manager: speed of storing, compared with the databases' own tools; reads under load.

`python -m bench.dbmanager --help` has the sizes. Servers, clients and databases share one machine.
If other programs use it too, compare the seconds of CPU, not those of the clock.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from bench import dbmanager_references as references
from bench.costs import Cost, costing, shown_costs
from bench.dbmanager_load import (
    batches_of,
    client_of,
    milliseconds,
    request_of,
    store_all,
    under_load,
)
from bench.dbmanager_references import Batch
from tests.dbmanager.database_servers import DatabaseServer, MariaDB, PostgreSQL, running
from tests.dbmanager.dbmanager_process import Program, program

WRITERS, READING_WRITERS = 8, 50
READS = 400
_MIB = 1 << 20
_console = Console()


def run(arguments: argparse.Namespace) -> None:
    """Print the tables; `--trials` has another meaning and default here."""
    own = _own_arguments([])
    own.rounds, own.points, own.only = arguments.rounds, arguments.points, arguments.only
    _measure(own)


def _own_arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.dbmanager", description=__doc__)
    parser.add_argument("--points", type=int, default=1_000_000, help="points to store")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each method")
    parser.add_argument("--trials", type=int, default=10_000, help="trials of 1,000 points to read")
    parser.add_argument("--only", choices=("store", "read", "large"), help="only this table")
    return parser.parse_args(argv)


def _measure(arguments: argparse.Namespace) -> None:
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="trialwatch-bench-"))
        stack.callback(shutil.rmtree, folder)
        kinds = [kind for kind in (PostgreSQL, MariaDB) if kind.program() is not None]
        for kind in {PostgreSQL, MariaDB} - set(kinds):
            _console.print(f"{kind.kind} is not installed, so it is not measured")
        servers = [stack.enter_context(running(kind, sync=True)) for kind in kinds]
        if arguments.only in {None, "store"}:
            _store(folder, servers, arguments)
        if arguments.only in {None, "read"}:
            _read(folder, servers, arguments)
        if arguments.only in {None, "large"}:
            _large(folder, servers, arguments)


def _store(folder: Path, servers: Sequence[DatabaseServer], arguments: argparse.Namespace) -> None:
    batches = batches_of(arguments.points, trials=WRITERS)
    requests = [request_of(batch) for batch in batches]
    table = Table(
        title=f"{arguments.points:,} points, batches of 1,000, {WRITERS} writers; median seconds"
        " (of CPU: client, server and database together)"
    )
    for heading in ("database", "ours", "reference", "ours / it", "aim", "by CPU", "peak MiB"):
        table.add_column(
            heading, justify="left" if heading in {"database", "reference"} else "right"
        )
    ways: list[tuple[str, DatabaseServer | None]] = [("SQLite", None)]
    ways += [(server.kind, server) for server in servers]
    for name, server in ways:
        pids = [server.pid] if server else []
        ours: list[Cost] = []
        peaks = []
        theirs: dict[str, list[Cost]] = {}
        for _ in range(arguments.rounds):
            with _manager(folder, server) as manager:
                with costing(ours, *pids, manager.pid) as cost:
                    cost.seconds = asyncio.run(store_all(manager.address, requests, WRITERS))
                peaks.append(_peak(manager))
            for way, act in _references(folder, server, batches).items():
                with costing(theirs.setdefault(way, []), *pids):
                    act()
        for way, costs in theirs.items():
            ratio, by_cpu = (
                statistics.median(
                    getattr(a, field) / getattr(b, field) for a, b in zip(ours, costs, strict=True)
                )
                for field in ("seconds", "cpu")
            )
            shown = (shown_costs(ours), f"{way} {shown_costs(costs)}", f"{ratio:.2f}", _AIMS[way])
            table.add_row(name, *shown, f"{by_cpu:.2f}", f"{max(peaks) / _MIB:.0f}")
    _console.print(table)


_AIMS = {"COPY, one call": "<= 4", "executemany, one call": "<= 5", "Katib's way": "< 0.5"}


def _references(
    folder: Path, server: DatabaseServer | None, batches: Sequence[Batch]
) -> dict[str, Callable[[], None]]:
    """Return the other methods to store all points, each with its own database."""
    if server is None:
        path = folder / f"reference-{time.monotonic_ns()}.db"
        return {"executemany, one call": lambda: references.sqlite_executemany(path, batches)}
    port = server.port

    def into_fresh(way: Callable[[str], Awaitable[None]]) -> Callable[[], None]:
        name = asyncio.run(server.fresh_database())
        return lambda: asyncio.run(_awaited(way(name)))

    if isinstance(server, MariaDB):
        return {
            "Katib's way": into_fresh(
                lambda name: references.katibs_way_mysql(port, name, batches, WRITERS)
            )
        }
    return {
        "COPY, one call": into_fresh(
            lambda name: references.postgresql_copy(server.url(name), batches)
        ),
        "Katib's way": into_fresh(
            lambda name: references.katibs_way_postgresql(server.url(name), batches, WRITERS)
        ),
    }


async def _awaited(act: Awaitable[None]) -> None:
    await act


def _read(folder: Path, servers: Sequence[DatabaseServer], arguments: argparse.Namespace) -> None:
    table = Table(
        title=f"reads among {arguments.trials:,} trials of 1,000 points while"
        f" {READING_WRITERS} writers report; milliseconds (aim: p99 <= 20 at a collector's pace)"
    )
    for heading in ("database", "writers", "read", "p50", "p99", "worst", "peak MiB"):
        table.add_column(heading, justify="right" if heading[0] in "pw" else "left")
    for server in (None, *(server for server in servers if isinstance(server, PostgreSQL))):
        with _manager(folder, server) as manager:
            asyncio.run(_fill(manager, arguments.trials))
            for pace, period in (("100 points each 250 ms", 0.25), ("100 points, no pause", 0.0)):
                taken = asyncio.run(_reads(manager, arguments.trials, period))
                for read, of in taken.items():
                    shown = (of[len(of) // 2], of[len(of) * 99 // 100], of[-1])
                    name = server.kind if server else "SQLite"
                    peak = f"{_peak(manager) / _MIB:.0f}"
                    table.add_row(name, pace, read, *(f"{ms:.1f}" for ms in shown), peak)
    _console.print(table)


async def _fill(manager: Program, trials: int) -> None:
    """Store 1,000 points in each trial, in rounds, so that few requests are in memory at once."""
    for first in range(0, trials, 1_000):
        requests = [
            request_of((f"random-experiment-{first + number:05d}", points))
            for number, (_, points) in enumerate(
                batches_of(min(1_000, trials - first) * 1_000, trials=1_000)
            )
        ]
        async with client_of(manager.address) as client:
            await _report_all(client.report, requests)


async def _report_all(report: Callable[..., Awaitable[None]], requests: Sequence[object]) -> None:
    waiting = iter(requests)

    async def write() -> None:
        for request in waiting:
            await report(request, "filler", 1)

    await asyncio.gather(*(write() for _ in range(WRITERS)))


async def _reads(manager: Program, trials: int, period: float) -> dict[str, list[float]]:
    async with (
        client_of(manager.address) as client,
        under_load(manager.address, READING_WRITERS, period, 100),
    ):
        asks = {
            "(an empty report)": client.nothing,
            "Summary": client.summary,
            "GetObservationLog": client.objective,
        }
        return await milliseconds(asks, trials, READS)


def _large(folder: Path, servers: Sequence[DatabaseServer], arguments: argparse.Namespace) -> None:
    [batch] = batches_of(arguments.points, size=arguments.points, trials=1)
    request = request_of(batch)
    table = Table(title=f"{arguments.points:,} points in one call (aim: 500 MiB, none of it stays)")
    for heading in ("database", "seconds", "MiB before", "peak", "after"):
        table.add_column(heading, justify="left" if heading == "database" else "right")
    for server in (None, *servers):
        with _manager(folder, server) as manager:
            process = psutil.Process(manager.pid)
            before = process.memory_info().rss
            start = time.perf_counter()
            asyncio.run(_report_once(manager, request))
            taken = time.perf_counter() - start
            after = _settled(process)
            sizes = (f"{size / _MIB:.0f}" for size in (before, _peak(manager), after))
            table.add_row(server.kind if server else "SQLite", f"{taken:.2f}", *sizes)
    _console.print(table)


async def _report_once(manager: Program, request: object) -> None:
    async with client_of(manager.address) as client:
        await client.report(request, "one", 1)  # type: ignore[arg-type]  # a request, made above


def _settled(process: psutil.Process) -> int:
    """Return the memory of a process after a short pause."""
    time.sleep(2)
    size: int = process.memory_info().rss
    return size


@contextmanager
def _manager(folder: Path, server: DatabaseServer | None) -> Iterator[Program]:
    """Start a DB manager with a new database."""
    own = Path(tempfile.mkdtemp(dir=folder))
    url = f"sqlite:///{own}/observations.db"
    if server is not None:
        url = server.url(asyncio.run(server.fresh_database()))
    with program(own, url) as manager:
        asyncio.run(_opened(manager))
        yield manager
    shutil.rmtree(own)


async def _opened(manager: Program) -> None:
    async with client_of(manager.address) as client:
        await client.database_opened()


def _peak(manager: Program) -> int:
    """Return the peak memory of a process, in bytes."""
    status = Path(f"/proc/{manager.pid}/status").read_text(encoding="ascii")
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    _measure(_own_arguments(sys.argv[1:]))
