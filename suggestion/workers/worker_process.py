"""One worker seen from the service: a process that is started when needed, and can be killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from api.errors import SetupError, UserError
from suggestion.service.searches import Began, Job, SearchMemoryError
from suggestion.workers.frames import (
    HEAD_BYTES,
    METHODS,
    FrameError,
    Kind,
    began_from_bytes,
    head,
    read_head,
)
from suggestion.workers.pool import WorkerDiedError

_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""The matrices are small; each further thread has tens of MiB, and makes them slower."""
_OUT_OF_MEMORY = frozenset({-signal.SIGKILL, -signal.SIGABRT})
"""How a process ends that the kernel kills, or whose C++ library finds no memory."""


class WorkerProcess:
    """`suggestion.workers.pool.Worker`, by `python -m suggestion.workers`."""

    def __init__(self, memory: int, seconds: float, checkpoints: Path | None = None) -> None:
        """Make it; nothing is started yet.

        Args:
            memory: in bytes; the worker cannot have more.
            seconds: after somewhat more than these, a search ends even if the service is gone.
            checkpoints: the directory of the checkpoints of trials.
        """
        self._memory, self._seconds, self._checkpoints = memory, seconds, checkpoints
        self._process: Process | None = None
        self._starting: asyncio.Task[Process] | None = None
        self._killing: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        return self._process.pid if self._process else None

    async def run(self, job: Job, began: Callable[[Began], None]) -> bytes:
        """Return the reply; the port says what is raised."""
        if self._killing is not None:  # for a call whose caller did not wait for it
            await asyncio.shield(self._killing)
        used = self._process is not None
        known = False

        def note(what: Began) -> None:
            nonlocal known
            known = True
            began(what)

        process = self._process = self._process or await self._start()
        try:
            return await self._exchange(process, job, note)
        except (asyncio.IncompleteReadError, ConnectionError):
            status = await process.wait()
            self._process = None
            if used and not known:  # it had ended before this call
                return await self.run(job, began)
            raise self._died(status) from None
        except FrameError as error:
            await self.kill()
            raise WorkerDiedError(f"the worker failed: {error}") from None

    async def kill(self) -> None:
        """Kill the process, if there is one, and wait for its end.

        It is killed even if this call is cancelled: the caller may go away at any moment.
        """
        if self._killing is None:
            self._killing = asyncio.create_task(self._kill())
        await asyncio.shield(self._killing)

    async def _kill(self) -> None:
        try:
            await self._end_process()
        finally:
            self._killing = None

    async def _end_process(self) -> None:
        if self._starting is not None:
            with suppress(OSError):
                self._process = await self._starting
            self._starting = None
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()

    async def _start(self) -> Process:
        command = (sys.executable, "-m", "suggestion.workers")
        limits = [str(self._memory), str(int(self._seconds))]
        if self._checkpoints is not None:
            limits.append(str(self._checkpoints))
        path = os.pathsep.join(filter(None, sys.path))
        environ = {**os.environ, **_ONE_THREAD, "PYTHONPATH": path}
        start = asyncio.create_subprocess_exec(
            *command, *limits, stdin=PIPE, stdout=PIPE, env=environ
        )
        self._starting = asyncio.create_task(start)
        try:
            # A start that is cancelled half-way leaves a process that nothing can kill.
            process = await asyncio.shield(self._starting)
        except OSError as error:
            self._starting = None
            raise SetupError(f"cannot start a worker for searches: {error.strerror}") from None
        self._starting = None
        return process

    async def _exchange(self, process: Process, job: Job, began: Callable[[Began], None]) -> bytes:
        if process.stdin is None or process.stdout is None:
            raise WorkerDiedError("the worker has no pipes")
        process.stdin.write(head(METHODS[job.method], job.request))
        process.stdin.write(job.request)
        await process.stdin.drain()
        while True:
            kind, length = read_head(await process.stdout.readexactly(HEAD_BYTES))
            body = await process.stdout.readexactly(length)
            if kind is not Kind.BEGAN:
                return await self._ended(kind, body)
            began(began_from_bytes(body))

    async def _ended(self, kind: Kind, body: bytes) -> bytes:
        """Return the reply, or raise what the message says."""
        if kind is Kind.REPLY:
            return body
        if kind is Kind.USER_ERROR:
            raise UserError(body.decode())
        if kind is Kind.SETUP_ERROR:
            raise SetupError(body.decode())
        await self.kill()
        if kind is Kind.LAST_REPLY:
            return body
        if kind is Kind.NO_MEMORY:
            raise SearchMemoryError(self._limit())
        raise WorkerDiedError(f"the search failed: {body.decode()}")

    def _died(self, status: int) -> Exception:
        if status in _OUT_OF_MEMORY:
            return SearchMemoryError(self._limit())
        return WorkerDiedError(f"the worker ended with status {status}")

    def _limit(self) -> str:
        return f"a worker has {self._memory >> 20} MiB"
