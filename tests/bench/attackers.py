"""`python -m tests.bench.attackers SERVER ADDRESS`: the hostile clients of one server.

A process of its own, so that what an attack costs its client does not delay the honest clients.
"""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, suppress
from typing import Any, Final

import aiohttp
import grpc
import grpc.aio

from api.names import NAMESPACE_METADATA
from api.report_limits import MOST_POINTS
from api.v1beta1 import api_pb2 as pb
from tests.contracts.searches import asking
from tests.dbmanager.dbmanager_server import client_of, log
from tests.dbmanager.other_client import relay_from
from tests.dbmanager.test_hostile_clients import (
    REPORT,
    Attacker,
    code_of,
    gzipped_points,
    many_values,
    points_without_end,
    requests_that_never_come,
)
from tests.suggestion.search_spaces import double
from tests.webhook.experiments.experiment_documents import experiment
from tests.webhook.running_webhook import asked, experiment_asked
from tests.webhook.trial_objects import pod

MIB: Final = 1 << 20
ENDLESS = asking("tpe", 2000, values={"n_startup_trials": "0", "n_EI_candidates": "10000"})
HUNGRY = asking("qmc", 10_000, parameters=tuple(double(f"x{i}", "0", "1") for i in range(1000)))
"""Needs more memory than a worker has."""
CROWD: Final = 32
CROWD_SECONDS: Final = 30.0
_POINTS = [("2026-01-31T12:00:00Z", "a", "1")] * MOST_POINTS
LARGE: Final = pb.ReportObservationLogRequest(
    trial_name="crowd", observation_log=log(*_POINTS)
).SerializeToString()
MALLORY = ((NAMESPACE_METADATA, "mallory"),)


async def dbmanager(address: str) -> None:
    """Attack a DB manager from an address of its own."""
    attacks = (gzipped_points, points_without_end, many_values, requests_that_never_come)
    async with relay_from("127.0.0.9", address) as relay, client_of(relay) as client:
        for attack in attacks:
            await attack(Attacker(client))


async def crowd(address: str) -> None:
    """Attack a DB manager from many addresses at once."""
    async with AsyncExitStack() as stack:
        attackers = []
        for number in range(CROWD):
            relay = await stack.enter_async_context(relay_from(f"127.0.1.{number + 1}", address))
            attackers.append(Attacker(await stack.enter_async_context(client_of(relay))))
        never = [one.open_without_a_request(REPORT) for one in attackers for _ in range(4)]
        ends = [asyncio.ensure_future(code_of(call)) for call in never]
        await asyncio.gather(*(_flood(one) for one in attackers))
        for call in never:
            call.cancel()
        for one in attackers:
            one.over.set()
        await asyncio.gather(*ends)


async def _flood(attacker: Attacker) -> None:
    """Send reports with the most points, as long as the crowd is there."""
    loop = asyncio.get_running_loop()
    end = loop.time() + CROWD_SECONDS
    while loop.time() < end:
        await asyncio.gather(*(attacker.send(REPORT, LARGE) for _ in range(4)))


async def suggestion(address: str) -> None:
    """Attack a suggestion service."""
    async with grpc.aio.insecure_channel(address) as channel:
        untyped: Any = channel
        method = untyped.unary_unary("/api.v1.beta1.Suggestion/GetSuggestions")
        calls = [method(ENDLESS.request, metadata=MALLORY) for _ in range(20)]
        await asyncio.sleep(5)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        garbage, hungry = b"\xff" * (15 * MIB), HUNGRY.request
        for call in (
            *(method(garbage, metadata=MALLORY) for _ in range(8)),
            *(method(hungry, metadata=MALLORY, timeout=5) for _ in range(3)),
        ):
            assert await call.code() is not grpc.StatusCode.OK


async def webhook(address: str) -> None:
    """Attack a webhook: each of these reviews once cost seconds or gigabytes."""
    connector = aiohttp.TCPConnector(ssl=False)  # an attacker does not check certificates
    async with aiohttp.ClientSession(connector=connector) as session:
        for _ in range(3):
            await asyncio.gather(
                *(_post(session, f"{address}{path}", body) for path, body in _reviews())
            )


async def _post(session: aiohttp.ClientSession, url: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    with suppress(aiohttp.ClientError):  # a body that is too large may be cut off
        async with session.post(f"{url}?timeout=10s", data=io.BytesIO(body), headers=headers) as it:
            text = await it.read()
            if it.status == 200:
                assert json.loads(text)["response"]["uid"] == "uid-1"


def _reviews() -> Iterator[tuple[str, bytes]]:
    large: Any = experiment()
    large["spec"]["metricsCollectorSpec"] = {
        "source": {"filter": {"metricsFormat": ["(a{1,1000})" * 100_000]}},
        "collector": {"kind": "StdOut"},
    }
    annotated: Any = pod()
    annotated["metadata"]["annotations"] = {
        "trialwatch.dev/collect": "true",
        "trialwatch.dev/metrics": "loss",
        "trialwatch.dev/filters": "(a{1,1000})" * 20_000,
    }
    for _ in range(4):
        for path in ("/mutate-experiment", "/validate-experiment"):
            yield path, json.dumps(experiment_asked(large, dryRun=True)).encode()
        yield "/mutate-pod", json.dumps(asked(annotated)).encode()
        yield "/mutate-pod", b'{"request": ' + b"[" * 500_000
        yield "/mutate-pod", b" " * (20 * MIB)


ATTACKS: Final[dict[str, Callable[[str], Coroutine[Any, Any, None]]]] = {
    "dbmanager": dbmanager,
    "crowd": crowd,
    "suggestion": suggestion,
    "webhook": webhook,
}

if __name__ == "__main__":
    asyncio.run(ATTACKS[sys.argv[1]](sys.argv[2]))
