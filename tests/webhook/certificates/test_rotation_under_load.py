"""Three replicas, fifty requests a second, and a certificate that is renewed all the time.

The client is what an API server is: for each new connection it trusts the bundle that stands in the
webhook's configuration now, and nothing else. Beside it, one connection to each replica is never
closed. `TRIALWATCH_FUZZ_SECONDS=60` keeps at it for a minute.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import aiohttp

from api import names
from kube.cluster import Ref
from kube.testing.apiserver import served
from kube.testing.memory import MemoryCluster
from tests.certificate_authority import Authority
from tests.polling import eventually
from tests.webhook.certificates.certificate_objects import bundle_of, configuration, webhook_entry
from tests.webhook.running_webhook import asked
from webhook.certificates.bundles import own_authorities_in, split_bundle
from webhook.certificates.issued import Service
from webhook.certificates.self_signed import target_of

REPLICAS = 3
REQUESTS_A_SECOND = 50
ROTATIONS = 3
PATIENCE = 120.0
SERVICE = Service(name=names.OWN_WEBHOOK, namespace=names.CORE_NAMESPACE)
CONFIGURATION: Ref = target_of(SERVICE).configurations[0]
STRANGERS = Authority().cert.decode()
REVIEW = json.dumps(asked({"metadata": {}, "spec": {"containers": []}}))


@dataclass
class Seen:
    """What the client observed."""

    answers: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    authorities: set[str] = field(default_factory=set)
    """The own authorities in all bundles that the client used."""
    connected: Counter[int] = field(default_factory=Counter)
    """Connections of the clients that keep theirs, by port."""


@cache
def trusting(bundle: str) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=bundle)


class Client:
    """Asks the replicas in turn, each time over a new connection."""

    def __init__(self, cluster: MemoryCluster, ports: list[int]) -> None:
        self.seen = Seen()
        self._cluster, self._ports = cluster, ports

    async def bundle(self) -> str:
        """Return the present bundle of the configuration."""
        bundle = bundle_of(await self._cluster.get(CONFIGURATION))
        self.seen.authorities |= set(authorities_in(bundle))
        return bundle

    async def ask(self, number: int) -> None:
        """Send one review and record the result."""
        connector = aiohttp.TCPConnector(ssl=trusting(await self.bundle()), force_close=True)
        async with aiohttp.ClientSession(connector=connector) as session:
            await self._ask_over(session, self._ports[number % len(self._ports)])

    async def stay(self, port: int, ended: asyncio.Event) -> None:
        """Use one connection over and over; it must never be cut."""
        trace = aiohttp.TraceConfig()

        async def connected(*_: object) -> None:
            self.seen.connected[port] += 1

        trace.on_connection_create_end.append(connected)
        connector = aiohttp.TCPConnector(ssl=trusting(await self.bundle()))
        async with aiohttp.ClientSession(connector=connector, trace_configs=[trace]) as session:
            while not ended.is_set():
                await self._ask_over(session, port)
                await asyncio.sleep(0.1)

    async def _ask_over(self, session: aiohttp.ClientSession, port: int) -> None:
        url = f"https://127.0.0.1:{port}/mutate-pod?timeout=10s"
        headers = {"Content-Type": "application/json"}
        try:
            async with session.post(
                url, data=REVIEW, headers=headers, server_hostname=SERVICE.host
            ) as answer:
                text = await answer.text()
                assert answer.status == 200, text
                assert json.loads(text)["response"]["allowed"] is True
        except (aiohttp.ClientError, OSError, AssertionError) as error:
            self.seen.failures.append(f"{self.seen.answers.total()} to {port}: {error!r}")
        self.seen.answers[port] += 1


@cache
def authorities_in(bundle: str) -> tuple[str, ...]:
    return own_authorities_in(split_bundle(bundle), SERVICE)


@asynccontextmanager
async def replica(folder: Path, kubeconfig: Path) -> AsyncIterator[int]:
    """Run one replica; give its port once it is ready."""
    folder.mkdir()
    port_file, log_file = folder / "port", folder / "log"
    flags = ["--self-signed", "--service", str(SERVICE), "--kubeconfig", str(kubeconfig)]
    flags += ["--listen", "127.0.0.1:0", "--port-file", str(port_file)]
    environ = {name: value for name, value in os.environ.items() if "KATIB" not in name}
    with log_file.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.webhook.certificates.fast_rotation",
            *flags,
            stderr=log,
            env=environ,
        )
    try:
        await eventually(lambda: port_file.exists() or process.returncode is not None)
        assert port_file.exists(), log_file.read_text()
        port = int(port_file.read_text())
        await until_ready(port)
        yield port
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until_ready(port: int) -> None:
    """Wait until ready, like the kubelet, which accepts any certificate."""
    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    connector = aiohttp.TCPConnector(ssl=anybody, force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session, asyncio.timeout(60):
        while True:
            async with session.get(f"https://127.0.0.1:{port}/readyz") as answer:
                if answer.status == 200:
                    return
            await asyncio.sleep(0.05)


async def load(client: Client, ports: list[int], seconds: float) -> float:
    """Send reviews at a steady rate until enough renewals have happened; return the seconds."""
    loop = asyncio.get_running_loop()
    began, ended = loop.time(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for port in ports:
            tasks.create_task(client.stay(port, ended))
        number = 0
        while len(client.seen.authorities) <= ROTATIONS or loop.time() < began + seconds:
            late = loop.time() >= began + seconds + PATIENCE
            assert not late, f"the certificate was not renewed; {client.seen.failures[:5]}"
            tasks.create_task(client.ask(number))
            number += 1
            await asyncio.sleep(max(0.0, began + number / REQUESTS_A_SECOND - loop.time()))
        ended.set()
    return loop.time() - began


async def test_no_request_fails_while_the_certificate_is_renewed(
    tmp_path: Path, fuzz_seconds: float
) -> None:
    cluster = MemoryCluster(namespaces=(SERVICE.namespace,))
    entries = (webhook_entry(STRANGERS, SERVICE), webhook_entry(None, SERVICE))
    await cluster.create(configuration(*entries, ref=CONFIGURATION))
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(served(cluster))
        kubeconfig = api.write_kubeconfig(tmp_path / "kubeconfig")
        starting = [
            stack.enter_async_context(replica(tmp_path / f"replica-{number}", kubeconfig))
            for number in range(REPLICAS)
        ]
        ports = [await one for one in starting]
        client = Client(cluster, ports)
        seconds = await load(client, ports, fuzz_seconds)

    seen, asked_of = client.seen, client.seen.answers.total()
    print(  # noqa: T201 - a measurement, for who looks
        f"{asked_of} requests in {seconds:.1f} s, {len(seen.authorities) - 1} renewals,"
        f" {len(seen.failures)} failures"
    )
    assert seen.failures == []
    assert seen.connected == dict.fromkeys(ports, 1)
    bundle = await client.bundle()
    assert bundle.startswith(STRANGERS)
    assert len(authorities_in(bundle)) <= 2
