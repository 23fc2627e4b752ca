"""kubectl, for what the API server does not do itself: kustomize, and a dry run."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from pathlib import Path
from typing import Protocol

from api.errors import RemoteError, SetupError
from api.types import JsonObject

_APPLY = ("apply", "--server-side", "--force-conflicts", "-k")
_DELETE = ("delete", "--ignore-not-found", "--wait=false", "-k")
_TRY = ("create", "--dry-run=server", "--output=json", "--filename=-")


class Kubectl(Protocol):
    """What a migration asks of kubectl. Each call raises RemoteError if kubectl fails."""

    async def apply(self, folder: Path) -> None:
        """Apply a kustomization."""

    async def delete(self, folder: Path) -> None:
        """Delete the objects of a kustomization; those that do not exist are skipped."""

    async def tried(self, document: JsonObject) -> JsonObject:
        """Return what would become of an object that is created; it is not created."""


class InstalledKubectl:
    """The program `kubectl` of this machine, for the chosen cluster."""

    def __init__(self, kubeconfig: Path | None, context: str) -> None:
        """Find it. Raises SetupError: it is not installed."""
        found = shutil.which("kubectl")
        if found is None:
            raise SetupError(
                "kubectl is not in PATH: install it (kubernetes.io/docs/tasks/tools), because it"
                " renders and applies the kustomizations"
            )
        self._command = [found, *([f"--context={context}"] if context else [])]
        # The variable may name several files, the flag only one.
        chosen = {"KUBECONFIG": str(kubeconfig)} if kubeconfig else {}
        self._environment = {**os.environ, **chosen}

    async def apply(self, folder: Path) -> None:
        """Apply a kustomization."""
        await self._run(*_APPLY, str(folder))

    async def delete(self, folder: Path) -> None:
        """Delete the objects of a kustomization."""
        await self._run(*_DELETE, str(folder))

    async def tried(self, document: JsonObject) -> JsonObject:
        """Return what would become of an object."""
        answer: JsonObject = json.loads(await self._run(*_TRY, given=json.dumps(document)))
        return answer

    async def _run(self, *words: str, given: str = "") -> str:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._environment,
        )
        out, err = await process.communicate(given.encode())
        if process.returncode:
            command = " ".join(("kubectl", *words))
            raise RemoteError(f"{command} failed: {err.decode(errors='replace').strip()}")
        return out.decode()
