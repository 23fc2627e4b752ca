"""`python -m webhook` as a process, with a cluster in memory."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp

from kube.testing.apiserver import ApiServer
from tests.certificate_authority import Authority
from tests.polling import SECONDS, eventually
from tests.webhook.running_webhook import asked, experiment_asked

HOST = "localhost"


@dataclass(slots=True, kw_only=True)
class Program:
    """One running webhook, and a client that trusts its certificate."""

    process: asyncio.subprocess.Process
    session: aiohttp.ClientSession
    port: int
    trust: ssl.SSLContext
    folder: Path

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}"

    @property
    def plain(self) -> str:
        """The address of the port without TLS."""
        (address,) = {line["plain"] for line in self.log() if line.get("plain")}
        return f"http://{address}"

    async def get(self, path: str, *, at: str = "") -> tuple[int, str]:
        async with self.session.get(f"{at or self.url}{path}") as answer:
            return answer.status, await answer.text()

    async def review(self, pod: object) -> dict[str, Any]:
        return await self._posted("/mutate-pod", asked(pod))

    async def experiment(self, path: str, document: object, old: object = None) -> dict[str, Any]:
        return await self._posted(path, experiment_asked(document, old))

    async def _posted(self, path: str, review: object) -> dict[str, Any]:
        body = json.dumps(review)
        headers = {"Content-Type": "application/json"}
        url = f"{self.url}{path}?timeout=10s"
        async with self.session.post(url, data=body, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            response: dict[str, Any] = json.loads(await answer.text())["response"]
            return response

    async def until(self, path: str, holds: Callable[[int, str], bool], *, at: str = "") -> None:
        """Request until the answer has this status and text."""
        async with asyncio.timeout(SECONDS):
            while not holds(*await self.get(path, at=at)):  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.02)

    async def ready(self) -> None:
        await self.until("/readyz", lambda status, _: status == HTTPStatus.OK)

    async def ended(self) -> int:
        async with asyncio.timeout(SECONDS):
            return await self.process.wait()

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def log(self) -> list[dict[str, Any]]:
        lines = (self.folder / "log").read_text().splitlines()
        return [json.loads(line) for line in lines]


def certificate(folder: Path) -> ssl.SSLContext:
    """Write a certificate into a folder; return a client context that trusts it."""
    authority = Authority()
    authority.signed(HOST).write(folder)
    return authority.client_context()


@asynccontextmanager
async def program(
    api: ApiServer, folder: Path, *flags: str, self_signed: bool = False
) -> AsyncIterator[Program]:
    """Start the process; kill it at the end if it still runs."""
    trust = certificate(folder)
    kubeconfig = api.write_kubeconfig(folder / "kubeconfig")
    port_file = folder / "port"
    cert = (
        ("--self-signed", "--service", "hook.kubeflow") if self_signed else ("--cert-dir", folder)
    )
    own = ("--kubeconfig", kubeconfig, "--listen", "127.0.0.1:0", "--port-file", port_file)
    words = [str(word) for word in (*cert, *own, *flags)]
    environ = {name: value for name, value in os.environ.items() if "KATIB" not in name}
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "webhook", *words, stderr=log, env=environ
        )
    connector = aiohttp.TCPConnector(ssl=trust)
    async with aiohttp.ClientSession(connector=connector) as session:
        try:
            await eventually(lambda: port_file.exists() or process.returncode is not None)
            assert port_file.exists(), (folder / "log").read_text()
            port = int(port_file.read_text())
            yield Program(process=process, session=session, port=port, trust=trust, folder=folder)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
