"""`python -m controller` as a separate process, over a cluster in memory behind HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.polling import SECONDS, eventually


@dataclass(slots=True, kw_only=True)
class ControllerProcess:
    """A running controller, and a client of its HTTP server."""

    process: asyncio.subprocess.Process
    session: aiohttp.ClientSession
    port: int
    folder: Path

    async def get(self, path: str) -> tuple[int, str]:
        async with self.session.get(f"http://127.0.0.1:{self.port}{path}") as answer:
            return answer.status, await answer.text()

    async def until(self, path: str, holds: Callable[[int, str], bool]) -> None:
        """Request a path until status and text are as expected."""
        async with asyncio.timeout(SECONDS):
            while not holds(*await self.get(path)):  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.02)

    async def ready(self) -> None:
        await self.until("/readyz", lambda status, _: status == 200)

    async def metric(self, name: str) -> float:
        """Return the value of a metric, read over HTTP."""
        _, text = await self.get("/metrics")
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    async def leads(self) -> bool:
        return await self.metric("trialwatch_controller_leading") == 1

    async def ended(self) -> int:
        async with asyncio.timeout(SECONDS):
            return await self.process.wait()

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def log(self) -> list[dict[str, Any]]:
        lines = (self.folder / "log").read_text().splitlines()
        return [json.loads(line) for line in lines]


@asynccontextmanager
async def controller_process(
    kubeconfig: Path, folder: Path, *flags: str
) -> AsyncIterator[ControllerProcess]:
    """Start a controller; kill it at the end if it still runs."""
    folder.mkdir(exist_ok=True)
    port_file = folder / "port"
    port_file.unlink(missing_ok=True)
    own = ("--kubeconfig", kubeconfig, "--listen", "127.0.0.1:0", "--port-file", port_file)
    words = [str(word) for word in (*own, *flags)]
    environ = {name: value for name, value in os.environ.items() if "KATIB" not in name}
    with (folder / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "controller", *words, stderr=log, env=environ
        )
    async with aiohttp.ClientSession() as session:
        try:
            await eventually(lambda: port_file.exists() or process.returncode is not None)
            assert port_file.exists(), (folder / "log").read_text()
            port = int(port_file.read_text())
            yield ControllerProcess(process=process, session=session, port=port, folder=folder)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
