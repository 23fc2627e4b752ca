"""Hostile requests at DB manager, suggestion service and webhook at the same time, beside honest ones.

Each server is a process whose memory is limited to that of its manifest.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import grpc.aio
import psutil
import yaml

from api.names import NAMESPACE_METADATA
from kube.testing.apiserver import served
from kube.testing.memory import MemoryCluster
from tests.contracts.searches import asking
from tests.dbmanager.dbmanager_process import program as dbmanager_program
from tests.dbmanager.dbmanager_server import Client, client_of
from tests.dbmanager.persistent_writers import opened
from tests.suggestion.test_program import program as suggestion_program
from tests.webhook.trial_objects import job, pod, suggestion, trial
from tests.webhook.webhook_process import program as webhook_program

ROOT: Final = Path(__file__).parents[2]
MIB: Final = 1 << 20
PAUSE: Final = 0.1
"""Seconds between two honest calls of one server."""
HONEST = asking("random", 2)
ANN = ((NAMESPACE_METADATA, "ann"),)


def memory_limit(folder: str) -> int:
    """Return the bytes that the manifest of a server allows it."""
    text = (ROOT / "manifests/base" / folder / "deployment.yaml").read_text(encoding="utf-8")
    [container] = yaml.safe_load(text)["spec"]["template"]["spec"]["containers"]
    size: str = container["resources"]["limits"]["memory"]
    assert size.endswith("Mi")
    return int(size[:-2]) * MIB


@dataclass(slots=True, kw_only=True)
class Target:
    """One server under attack."""

    name: str
    process: psutil.Process
    address: str
    limit: int
    """Bytes."""
    call: Callable[[], Awaitable[None]]
    """An honest call; it raises if the answer is wrong."""
    seconds: list[float] = field(default_factory=list)
    """Of each honest call during the attacks."""

    def is_alive(self) -> bool:
        """Return whether the process that was attacked still runs."""
        return self.process.is_running() and self.process.status() != psutil.STATUS_ZOMBIE

    def memory(self) -> int:
        """Return the bytes that the server and its workers have in memory."""
        with suppress(psutil.NoSuchProcess):
            processes = (self.process, *self.process.children(recursive=True))
            return sum(_memory(process) for process in processes)
        return 0


async def attack(targets: list[Target]) -> None:
    """Attack all servers at the same time, and call each as an honest client until that is over."""
    over = asyncio.Event()
    honest = [asyncio.create_task(_call(target, over)) for target in targets]
    try:
        await asyncio.gather(*(_attack(target) for target in targets))
    finally:
        over.set()
        await asyncio.gather(*honest)
    for target in targets:
        await target.call()


async def attack_from_many_addresses(manager: Target) -> Target:
    """Attack a DB manager from 32 addresses; return it with the honest calls of that time."""
    crowded = replace(manager, name="crowd", seconds=[])
    await attack([crowded])
    return replace(crowded, name="dbmanager, 32 addresses")


async def _attack(target: Target) -> None:
    words = (sys.executable, "-m", "tests.bench.attackers", target.name, target.address)
    process = await asyncio.create_subprocess_exec(*words, cwd=ROOT)
    try:
        assert await process.wait() == 0, (
            f"an attack on {target.name} was not answered as it should"
        )
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _call(target: Target, over: asyncio.Event) -> None:
    while not over.is_set():
        start = time.perf_counter()
        await target.call()
        target.seconds.append(time.perf_counter() - start)
        with suppress(TimeoutError):
            async with asyncio.timeout(PAUSE):
                await over.wait()


@asynccontextmanager
async def targets(folder: Path) -> AsyncIterator[list[Target]]:
    """Start the three servers, each within its memory."""
    async with AsyncExitStack() as stack:
        folders = [folder / name for name in ("dbmanager", "suggestion", "webhook")]
        for each in folders:
            each.mkdir()
        yield [
            await stack.enter_async_context(_dbmanager(folders[0])),
            await stack.enter_async_context(_suggestion(folders[1])),
            await stack.enter_async_context(_webhook(folders[2])),
        ]


@asynccontextmanager
async def _dbmanager(folder: Path) -> AsyncIterator[Target]:
    with dbmanager_program(folder, f"sqlite:///{folder}/o.db") as manager:
        async with client_of(manager.address) as honest:
            await opened(honest.manager)
            numbers = iter(range(10**6))
            call = lambda: _report(honest, next(numbers))  # noqa: E731 - one line says it
            yield _target("dbmanager", manager.pid, manager.address, call)


async def _report(client: Client, number: int) -> None:
    await client.report("honest", ("2026-01-31T12:00:00Z", "loss", str(number)))


@asynccontextmanager
async def _suggestion(folder: Path) -> AsyncIterator[Target]:
    with ExitStack() as stack:
        with _data_limit(memory_limit("suggestion")):  # which the workers share
            process, address = stack.enter_context(suggestion_program(folder))
        async with grpc.aio.insecure_channel(address) as channel:
            untyped: Any = channel
            method = untyped.unary_unary("/api.v1.beta1.Suggestion/GetSuggestions")

            async def search() -> None:
                assert await method(HONEST.request, metadata=ANN)

            yield _target("suggestion", process.pid, address, search)


@asynccontextmanager
async def _webhook(folder: Path) -> AsyncIterator[Target]:
    memory = MemoryCluster(namespaces=("team", "kubeflow"))
    await memory.create(suggestion())
    owner = await memory.create(job("mnist-1", await memory.create(trial())))
    async with served(memory) as api, webhook_program(api, folder) as webhook:
        await webhook.ready()
        document = pod(owner)

        async def review() -> None:
            assert (await webhook.review(document))["allowed"]

        yield _target("webhook", webhook.process.pid, webhook.url, review)


def _target(name: str, pid: int, address: str, call: Callable[[], Awaitable[None]]) -> Target:
    limit = memory_limit(name)
    # Of data, not of addresses: gRPC and Python reserve addresses that they never use.
    _, hard = resource.prlimit(pid, resource.RLIMIT_DATA)
    resource.prlimit(pid, resource.RLIMIT_DATA, (limit, hard))
    process = psutil.Process(pid)
    return Target(name=name, process=process, address=address, limit=limit, call=call)


@contextmanager
def _data_limit(size: int) -> Iterator[None]:
    """Let the processes that are started in the block have at most so many bytes of data."""
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def _memory(process: psutil.Process) -> int:
    with suppress(psutil.NoSuchProcess):
        return int(process.memory_info().rss)
    return 0
