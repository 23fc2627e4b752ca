"""The webhook: reviews per second and latency, compared with a plain aiohttp echo server.

`python -m bench.webhook --help` has the sizes. Both servers are processes of their own, with one
certificate; the client and the API server in memory share the machine with them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from api import names
from api.types import JsonObject
from bench.webhook_load import Caller, Latency, callers, flood, request_of, steadily
from kube.testing.apiserver import ApiServer, served
from kube.testing.memory import MemoryCluster
from tests.certificate_authority import Authority
from tests.polling import eventually
from tests.webhook.running_webhook import asked
from tests.webhook.trial_objects import job, pod, suggestion, trial
from tests.webhook.webhook_process import program

CONNECTIONS = 8
RATE = 300
DIFFERENT = 200
"""The number of different reviews, each of another trial's pod."""
_MIB = 1 << 20
_console = Console()


def run(_arguments: argparse.Namespace) -> None:
    """Print the table with the default sizes of the command line."""
    asyncio.run(_measure(_own_arguments([])))


def _own_arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.webhook", description=__doc__)
    parser.add_argument("--trials", type=int, default=10_000, help="trials in the cluster")
    parser.add_argument("--reviews", type=int, default=5_000, help="reviews in one measurement")
    parser.add_argument("--seconds", type=float, default=10, help=f"of {RATE} reviews a second")
    parser.add_argument("--rounds", type=int, default=3, help="times each is measured")
    parser.add_argument("--tokens", action="store_true", help="give each pod a token")
    return parser.parse_args(argv)


@dataclass(slots=True, kw_only=True)
class _Row:
    """The results of one server with one kind of pods."""

    name: str
    aim: str
    connections: list[Caller]
    process: psutil.Process
    requests: list[bytes]
    per_second: list[float] = field(default_factory=list)
    per_cpu_second: list[float] = field(default_factory=list)
    latencies: list[Latency] = field(default_factory=list)

    async def measure(self, reviews: int, seconds: float) -> None:
        """Send requests as fast as possible, then at a fixed rate."""
        before = sum(self.process.cpu_times()[:2])
        took = await flood(self.connections, self.requests, reviews)
        spent = sum(self.process.cpu_times()[:2]) - before
        self.per_second.append(reviews / took)
        self.per_cpu_second.append(reviews / max(spent, 0.01))
        self.latencies.append(await steadily(self.connections, self.requests, RATE, seconds))


async def _measure(arguments: argparse.Namespace) -> None:
    async with _servers(arguments.trials, tokens=arguments.tokens) as (rows, api, resident):
        before = _questions(api)
        for _ in range(arguments.rounds):
            for row in rows:
                await row.measure(arguments.reviews, arguments.seconds)
        _print(rows, arguments)
        reviews = (arguments.reviews + RATE * arguments.seconds) * arguments.rounds * 2
        _console.print(
            f"requests to the API server: {_questions(api) - before} in {reviews:,.0f} reviews\n"
            f"memory of the webhook with {arguments.trials:,} trials: {resident:.0f} MiB"
        )


@asynccontextmanager
async def _servers(
    trials: int, *, tokens: bool
) -> AsyncIterator[tuple[list[_Row], ApiServer, float]]:
    """Run both servers; the webhook's cache is filled."""
    memory = MemoryCluster(namespaces=("team", "kubeflow"))
    if tokens:
        await memory.create(_config_with_tokens())
    pods = [one async for one in _fill(memory, trials)]
    async with AsyncExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="trialwatch-bench-"))
        stack.callback(shutil.rmtree, folder)
        api = await stack.enter_async_context(served(memory))
        webhook = await stack.enter_async_context(program(api, folder))
        await webhook.ready()
        echo_process, echo_port = await stack.enter_async_context(_echo(folder))
        trust = webhook.trust
        ours = await stack.enter_async_context(callers(webhook.port, trust, CONNECTIONS))
        theirs = await stack.enter_async_context(callers(echo_port, trust, CONNECTIONS))
        process = psutil.Process(webhook.process.pid)
        requests = [_request(one) for one in pods]
        plain_pods = [_request(pod()) for _ in range(DIFFERENT)]
        rows = [
            _Row(
                name="echo",
                aim="",
                connections=theirs,
                process=psutil.Process(echo_process.pid),
                requests=requests,
            ),
            _Row(
                name="a trial's pod",
                aim="1,000, 10",
                connections=ours,
                process=process,
                requests=requests,
            ),
            _Row(
                name="pod without a trial",
                aim="3,000",
                connections=ours,
                process=process,
                requests=plain_pods,
            ),
        ]
        yield rows, api, process.memory_info().rss / _MIB


def _config_with_tokens() -> JsonObject:
    """Return a katib-config by which each sidecar gets a token."""
    lines = Authority().cert.decode().replace("\n", "\n    ")
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": names.CONFIG_MAP, "namespace": names.CORE_NAMESPACE},
        "data": {names.CONFIG_MAP_KEY: f"trialwatch:\n  dbManagerCA: |\n    {lines}\n"},
    }


async def _fill(memory: MemoryCluster, trials: int) -> AsyncIterator[dict[str, object]]:
    """Create trials with their jobs, of usual size; return some of their pods."""
    await memory.create(suggestion())
    run_spec = pod(command=["python3", "/opt/mnist/mnist.py"], args=["--epochs=10"] * 20)
    for number in range(trials):
        made = await memory.create(trial(f"mnist-{number}", runSpec=run_spec))
        owner = await memory.create(job(f"mnist-{number}", made))
        if number % max(1, trials // DIFFERENT) == 0:
            yield pod(owner, env=[{"name": f"SETTING_{n}", "value": "x" * 20} for n in range(20)])
    memory.forget()


@asynccontextmanager
async def _echo(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.webhook_echo", str(folder)
    )
    try:
        port = folder / "echo-port"
        await eventually(port.exists)
        yield process, int(port.read_text())
    finally:
        process.terminate()
        await process.wait()


def _request(document: object) -> bytes:
    return request_of(json.dumps(asked(document)).encode())


def _questions(api: ApiServer) -> int:
    return sum(n for what, n in api.asked.items() if not what.startswith("watch"))


def _print(rows: Sequence[_Row], arguments: argparse.Namespace) -> None:
    title = f"{arguments.trials:,} trials in memory; medians of {arguments.rounds}"
    table = Table(title=title, box=SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for heading in ("/s", "x", "/CPU s", "x", "p50 ms", "p99 ms", "x"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("aim", no_wrap=True)
    for row in rows:
        table.add_row(row.name, *_cells(row, rows[0]), row.aim)
    _console.print(table)
    _console.print(
        "echo: aiohttp gives the same body back; x: the ratio to that, round by round. /s: reviews"
        " in a second; /CPU s: in a second of the server's own time. p50, p99: at"
        f" {RATE} reviews a second."
    )


def _cells(row: _Row, echo: _Row) -> Iterator[str]:
    for ours, theirs in (
        (row.per_second, echo.per_second),
        (row.per_cpu_second, echo.per_cpu_second),
    ):
        yield f"{statistics.median(ours):,.0f}"
        yield f"{_ratio(ours, theirs):.2f}"
    p99 = [one.p99 for one in row.latencies]
    yield f"{statistics.median(one.median for one in row.latencies):.1f}"
    yield f"{statistics.median(p99):.1f}"
    yield f"{_ratio(p99, [one.p99 for one in echo.latencies]):.1f}"


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of the ratio per round."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


if __name__ == "__main__":
    asyncio.run(_measure(_own_arguments(sys.argv[1:])))
