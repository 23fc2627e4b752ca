"""Hostile requests at DB manager, suggestion service and webhook at the same time, beside honest ones.

Each server is a process whose memory is limited to that of its manifest.
"""

from __future__ import annotations

import asyncio
import io
import json
import resource
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import grpc.aio
import psutil
import yaml

from api.names import NAMESPACE_METADATA
from kube.testing.apiserver import served
from kube.testing.memory import MemoryCluster
from tests.contracts.searches import asking
from tests.dbmanager.dbmanager_process import program as dbmanager_program
from tests.dbmanager.dbmanager_server import Client, client_of
from tests.dbmanager.other_client import relay_from
from tests.dbmanager.persistent_writers import opened
from tests.dbmanager.test_hostile_clients import (
    Attacker,
    gzipped_points,
    many_values,
    points_without_end,
    requests_that_never_come,
)
from tests.suggestion.test_program import program as suggestion_program
from tests.webhook.experiments.experiment_documents import experiment
from tests.webhook.running_webhook import asked, experiment_asked
from tests.webhook.trial_objects import job, pod, suggestion, trial
from tests.webhook.webhook_process import Program as Webhook
from tests.webhook.webhook_process import program as webhook_program

BASE = Path(__file__).parents[2] / "manifests/base"
MIB = 1 << 20
PAUSE = 0.1
"""Seconds between two honest calls of one server."""
SEARCHES = "/api.v1.beta1.Suggestion/GetSuggestions"
ENDLESS = asking("tpe", 2000, values={"n_startup_trials": "0", "n_EI_candidates": "10000"})
HUNGRY = asking("tpe", trials=3000, values={"n_EI_candidates": "10000"})
HONEST = asking("random", 2)

Call = Callable[[], Awaitable[None]]


def memory_limit(folder: str) -> int:
    """Return the bytes that the manifest of a server allows it."""
    text = (BASE / folder / "deployment.yaml").read_text(encoding="utf-8")
    [container] = yaml.safe_load(text)["spec"]["template"]["spec"]["containers"]
    size: str = container["resources"]["limits"]["memory"]
    assert size.endswith("Mi")
    return int(size[:-2]) * MIB


@dataclass(slots=True, kw_only=True)
class Target:
    """One server under attack."""

    name: str
    process: psutil.Process
    limit: int
    """Bytes."""
    call: Call
    """An honest call; it raises if the answer is wrong."""
    attacks: list[Callable[[], Coroutine[Any, Any, None]]]
    """They run one after the other."""
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


async def _attack(target: Target) -> None:
    for one in target.attacks:
        await one()


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
        async with (
            relay_from("127.0.0.9", manager.address) as relay,
            client_of(relay) as hostile,
            client_of(manager.address) as honest,
        ):
            await opened(honest.manager)
            numbers = iter(range(10**6))
            yield _target(
                "dbmanager",
                manager.pid,
                lambda: _report(honest, next(numbers)),
                [
                    lambda: gzipped_points(Attacker(hostile)),
                    lambda: points_without_end(Attacker(hostile)),
                    lambda: many_values(Attacker(hostile)),
                    lambda: requests_that_never_come(Attacker(hostile)),
                ],
            )


async def _report(client: Client, number: int) -> None:
    await client.report("honest", ("2026-01-31T12:00:00Z", "loss", str(number)))


@asynccontextmanager
async def _suggestion(folder: Path) -> AsyncIterator[Target]:
    with ExitStack() as stack:
        with _data_limit(memory_limit("suggestion")):  # which the workers share
            process, address = stack.enter_context(suggestion_program(folder))
        async with grpc.aio.insecure_channel(address) as channel:
            untyped: Any = channel
            method = untyped.unary_unary(SEARCHES)

            async def search() -> None:
                reply = await method(HONEST.request, metadata=_of("ann"))
                assert len(reply) > 0

            yield _target(
                "suggestion",
                process.pid,
                search,
                [lambda: _endless(method), lambda: _garbage(method), lambda: _hungry(method)],
            )


def _of(namespace: str) -> tuple[tuple[str, str], ...]:
    return ((NAMESPACE_METADATA, namespace),)


async def _endless(method: Any) -> None:  # noqa: ANN401 - grpc.aio's
    calls = [method(ENDLESS.request, metadata=_of("mallory")) for _ in range(20)]
    await asyncio.sleep(5)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)


async def _garbage(method: Any) -> None:  # noqa: ANN401 - the same
    calls = [method(b"\xff" * (15 * MIB), metadata=_of("mallory")) for _ in range(8)]
    await _refused(calls)


async def _hungry(method: Any) -> None:  # noqa: ANN401 - the same
    calls = [method(HUNGRY.request, metadata=_of("mallory"), timeout=5) for _ in range(3)]
    await _refused(calls)


async def _refused(calls: list[Any]) -> None:
    for call in calls:
        assert await call.code() is not grpc.StatusCode.OK


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

        yield _target(
            "webhook", webhook.process.pid, review, [lambda: _post_all(webhook) for _ in range(3)]
        )


async def _post_all(webhook: Webhook) -> None:
    await asyncio.gather(*(_post(webhook, path, body) for path, body in _hostile_reviews()))


async def _post(webhook: Webhook, path: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    with suppress(aiohttp.ClientError):  # a body that is too large may be cut off
        async with webhook.session.post(
            f"{webhook.url}{path}?timeout=10s", data=io.BytesIO(body), headers=headers
        ) as answer:
            text = await answer.read()
            if answer.status == 200:
                assert json.loads(text)["response"]["uid"] == "uid-1"


def _hostile_reviews() -> Iterator[tuple[str, bytes]]:
    """Yield reviews that once cost seconds or gigabytes each, several times."""
    collector = {
        "source": {"filter": {"metricsFormat": ["(a{1,1000})" * 100_000]}},
        "collector": {"kind": "StdOut"},
    }
    large: Any = experiment()
    large["spec"]["metricsCollectorSpec"] = collector
    annotated: Any = pod()
    annotated["metadata"]["annotations"] = {
        "trialwatch.dev/collect": "true",
        "trialwatch.dev/metrics": "loss",
        "trialwatch.dev/filters": "(a{1,1000})" * 20_000,
    }
    deep = b'{"request": ' + b"[" * 500_000
    for _ in range(4):
        for path in ("/mutate-experiment", "/validate-experiment"):
            yield path, json.dumps(experiment_asked(large, dryRun=True)).encode()
        yield "/mutate-pod", json.dumps(asked(annotated)).encode()
        yield "/mutate-pod", deep
        yield "/mutate-pod", b" " * (20 * MIB)


def _target(
    name: str, pid: int, call: Call, attacks: list[Callable[[], Coroutine[Any, Any, None]]]
) -> Target:
    limit = memory_limit(name)
    # Of data, not of addresses: gRPC and Python reserve addresses that they never use.
    _, hard = resource.prlimit(pid, resource.RLIMIT_DATA)
    resource.prlimit(pid, resource.RLIMIT_DATA, (limit, hard))
    return Target(name=name, process=psutil.Process(pid), limit=limit, call=call, attacks=attacks)


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
