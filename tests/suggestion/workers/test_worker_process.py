"""A worker as a real process: what it returns, and each way in which it ends."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType

import pytest

from api.errors import UserError
from api.types import ParameterSpec, Trial
from api.v1beta1 import api_pb2 as pb
from api.wire.experiments import experiment_to_wire
from api.wire.trials import assignments_from_wire, trial_to_wire
from suggestion.core.registry import BUILT_IN, find
from suggestion.core.search_task import search_task_of
from suggestion.service.searches import Began, Job, SearchMemoryError
from suggestion.workers.pool import WorkerDiedError
from suggestion.workers.worker_process import WorkerProcess
from tests.suggestion.controller_requests import experiment, trial
from tests.suggestion.search_spaces import PLANE, built, categorical, double

MEMORY = 512 << 20


@asynccontextmanager
async def worker(
    memory: int = MEMORY, seconds: float = 120, checkpoints: Path | None = None
) -> AsyncIterator[WorkerProcess]:
    process = WorkerProcess(memory, seconds, checkpoints)
    try:
        yield process
    finally:
        await process.kill()


def past(count: int) -> list[Trial]:
    points = find("random").make().suggest(built(*PLANE), (), count, 1)
    return [trial(f"t-{i}", point, loss=point[0].value) for i, point in enumerate(points)]


def asking(
    algorithm: str,
    count: int = 1,
    trials: int = 0,
    values: Mapping[str, str] = MappingProxyType({}),
    parameters: tuple[ParameterSpec, ...] = PLANE,
) -> Job:
    asked = experiment(algorithm, parameters, {"random_state": "7", **values})
    request = pb.GetSuggestionsRequest(
        experiment=experiment_to_wire(asked),
        trials=map(trial_to_wire, past(trials)),
        current_request_number=count,
        total_request_number=trials + count,
    )
    return Job(method="GetSuggestions", request=request.SerializeToString(), namespace="red")


MANY = tuple(double(f"x{i}", "0", "1") for i in range(1000))
NEEDED = {
    "hyperband": {"r_l": "9", "resource_name": "x"},
    "pbt": {"suggestion_trial_dir": "/c", "n_population": "5", "truncation_threshold": "0.2"},
}
"""The settings that have no default."""
ENDLESS = asking("tpe", 10_000, values={"n_startup_trials": "0", "n_EI_candidates": "10000"})


def ignored(_: Began) -> None:
    """Take what a worker says that it is busy with."""


async def began_by(process: WorkerProcess, job: Job) -> tuple[asyncio.Task[bytes], Began]:
    """Start a call, and return it when the worker is busy with it."""
    began: asyncio.Future[Began] = asyncio.Future()
    task = asyncio.create_task(process.run(job, began.set_result))
    return task, await began


@pytest.mark.parametrize(
    "algorithm", [name for name in BUILT_IN if name != "grid" and find(name).parameters]
)
async def test_a_search_in_a_worker_chooses_the_same_points_as_in_this_process(
    algorithm: str, tmp_path: Path
) -> None:
    needed = NEEDED.get(algorithm, {})
    for number in range(30):
        (tmp_path / "digits" / f"t-{number}").mkdir(parents=True)
    job = asking(algorithm, 3, trials=30, values=needed)
    async with worker(checkpoints=tmp_path) as process:
        reply = pb.GetSuggestionsReply.FromString(await process.run(job, ignored))
    chosen = [assignments_from_wire(one.assignments) for one in reply.parameter_assignments]
    spec = experiment(algorithm, PLANE, {"random_state": "7", **needed}).spec
    task = search_task_of(spec, admitted=True)

    assert chosen == list(task.suggest(past(30), 30, 3, 7))


async def test_the_worker_says_what_it_is_busy_with() -> None:
    async with worker() as process:
        task, began = await began_by(process, asking("random", 4, trials=2))
        await task

    assert began == Began(experiment="digits", algorithm="random", trials=2, points=4)


async def test_calls_share_one_process_and_a_refusal_does_not_end_it() -> None:
    async with worker() as process:
        await process.run(asking("random"), ignored)
        first = process.pid
        with pytest.raises(UserError, match="current_request_number: 10001; send a number from 0"):
            await process.run(asking("random", 10_001), ignored)
        await process.run(asking("random"), ignored)

        assert process.pid == first


async def test_bytes_that_are_not_protobuf_are_the_callers_fault() -> None:
    async with worker() as process:
        hostile = Job(method="GetSuggestions", request=b"\xff" * 100, namespace="")
        with pytest.raises(UserError, match=r"not a message api\.v1\.beta1\.GetSuggestionsRequest"):
            await process.run(hostile, ignored)


async def test_killing_ends_the_search_at_once_and_the_next_call_has_a_new_process() -> None:
    async with worker() as process:
        task, _ = await began_by(process, ENDLESS)
        killed = process.pid
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await process.kill()
        assert killed is not None
        with pytest.raises(ProcessLookupError):
            os.kill(killed, 0)

        assert await process.run(asking("random"), ignored)
        assert process.pid != killed


@pytest.mark.parametrize("steps", range(6))
async def test_a_caller_that_goes_away_while_the_worker_starts_leaves_no_process(
    steps: int,
) -> None:
    """`tests/leaks.py` fails a test that leaves a process."""
    async with worker() as process:
        task = asyncio.create_task(process.run(ENDLESS, ignored))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await process.kill()

        assert process.pid is None


@pytest.mark.parametrize("steps", range(1, 6))
async def test_a_caller_that_goes_away_while_its_worker_is_killed_leaves_no_process(
    steps: int,
) -> None:
    """`tests/leaks.py` fails a test that leaves a process."""
    async with worker() as process:
        task = asyncio.create_task(process.run(ENDLESS, ignored))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        killing = asyncio.create_task(process.kill())
        for _ in range(steps):
            await asyncio.sleep(0)
        killing.cancel()
        await asyncio.gather(killing, return_exceptions=True)

        await process.kill()

        assert process.pid is None


async def test_a_worker_that_the_kernel_kills_in_a_search_has_too_little_memory() -> None:
    async with worker() as process:
        task, _ = await began_by(process, ENDLESS)
        os.kill(process.pid or 0, signal.SIGKILL)
        with pytest.raises(SearchMemoryError, match="a worker has 512 MiB"):
            await task

        assert await process.run(asking("random"), ignored)


async def test_a_worker_that_crashes_in_a_search_is_replaced() -> None:
    async with worker() as process:
        task, _ = await began_by(process, ENDLESS)
        os.kill(process.pid or 0, signal.SIGSEGV)
        with pytest.raises(WorkerDiedError, match="the worker ended with status -11"):
            await task

        assert await process.run(asking("random"), ignored)


async def test_a_worker_that_dies_between_two_calls_costs_no_call() -> None:
    async with worker() as process:
        await process.run(asking("random"), ignored)
        first = process.pid
        os.kill(first or 0, signal.SIGKILL)

        assert await process.run(asking("random"), ignored)
        assert process.pid != first


async def test_a_search_that_needs_more_memory_than_a_worker_has_ends_alone() -> None:
    """10,000 points of 1,000 parameters are 80 MB of numbers, and 1 GB of texts."""
    hostile = asking("qmc", 10_000, parameters=MANY)
    async with worker(320 << 20) as process:
        with pytest.raises(SearchMemoryError, match="a worker has 320 MiB"):
            await process.run(hostile, ignored)

        assert await process.run(asking("bayesianoptimization", trials=20), ignored)


async def test_without_the_service_a_search_ends_itself() -> None:
    """The service stops it in time; this is for a service that was killed."""
    async with worker(seconds=0) as process:
        with pytest.raises(WorkerDiedError, match=f"status -{int(signal.SIGALRM)}"):
            await process.run(ENDLESS, ignored)


async def test_a_reply_that_is_too_large_is_refused_with_the_remedy() -> None:
    parameters = tuple(categorical(f"p{i}", "v" * 400, "w" * 400) for i in range(10))
    request = pb.GetSuggestionsRequest(
        experiment=experiment_to_wire(experiment("random", parameters)),
        current_request_number=10_000,
        total_request_number=10_000,
    )
    job = Job(method="GetSuggestions", request=request.SerializeToString(), namespace="")
    async with worker() as process:
        with pytest.raises(UserError, match=r"current_request_number: 10000 points of .* fewer"):
            await process.run(job, ignored)
