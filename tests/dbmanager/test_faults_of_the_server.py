"""The server is killed at any moment, while writers report: nothing is lost, nothing is there twice.

`TRIALWATCH_FAULT_RUNS` says how many runs there are (40), `TRIALWATCH_FAULT_SEED` the first one's
seed (0). A test's name has its seed; what the seed cannot repeat is the machine's own timing.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Iterator

import grpc
import pytest

from tests.dbmanager.database_servers import PostgreSQL, running
from tests.dbmanager.dbmanager_process import Program, program
from tests.dbmanager.persistent_writers import (
    RETRIED,
    expected_logs,
    manager_at,
    stored,
    write_all,
    writers,
)

RUNS = int(os.environ.get("TRIALWATCH_FAULT_RUNS", "40"))
FIRST = int(os.environ.get("TRIALWATCH_FAULT_SEED", "0"))
KINDS = ("sqlite", "postgresql")


@pytest.fixture(scope="module", params=KINDS)
def manager(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Program]:
    """A DB manager over one database, for all runs: what an early one stored must outlive the rest."""
    folder = tmp_path_factory.mktemp("faults")
    if request.param == "sqlite":
        with program(folder, f"sqlite:///{folder}/observations.db") as manager:
            yield manager
        return
    with running(PostgreSQL) as server:
        database = asyncio.run(server.fresh_database())
        with program(folder, server.url(database)) as manager:
            yield manager


@pytest.fixture(scope="module")
def written(manager: Program) -> set[int]:
    """Return the seeds of the runs over this manager's database: those of this process."""
    del manager  # one set for each
    return set()


class Countdown:
    """Wakes its waiter after a number of acknowledgements."""

    def __init__(self, count: int) -> None:
        self._left, self._over = count, asyncio.Event()

    def tick(self) -> None:
        self._left -= 1
        if self._left <= 0:
            self._over.set()

    async def wait(self) -> None:
        await self._over.wait()


@pytest.mark.leaves_behind(
    "process", "descriptor", reason="the server that was started anew serves the next run"
)
@pytest.mark.parametrize("seed", range(FIRST, FIRST + RUNS // len(KINDS)))
async def test_a_server_that_is_killed_neither_loses_nor_repeats_a_point(
    manager: Program, written: set[int], seed: int
) -> None:
    written.add(seed)
    dice = random.Random(seed)
    of = writers(dice, f"seed-{seed}")
    reports = sum(len(writer.batches) for writer in of)
    countdown = Countdown(dice.randint(1, reports // 2))

    async def kill() -> None:
        await countdown.wait()
        await asyncio.sleep(dice.random() * 0.02)
        await asyncio.to_thread(manager.kill)
        await asyncio.to_thread(manager.start)

    async with manager_at(manager.address) as stub:
        killing = asyncio.create_task(kill())
        met = await write_all(stub, of, seed, countdown.tick)
        await killing
        logs = {trial: await stored(stub, trial) for trial in expected_logs(of)}

    assert logs == expected_logs(of)
    assert grpc.StatusCode.UNAVAILABLE in met, "the server was killed too late"
    assert met <= RETRIED


@pytest.mark.leaves_behind("process", "descriptor", reason="as above")
async def test_a_restart_keeps_what_all_runs_before_it_have_stored(
    manager: Program, written: set[int]
) -> None:
    if not written:  # the runs were shared out to other processes
        written.add(FIRST)
        async with manager_at(manager.address) as stub:
            await write_all(stub, writers(random.Random(FIRST), f"seed-{FIRST}"), FIRST)

    manager.end()
    manager.start()

    async with manager_at(manager.address) as stub:
        for seed in written:
            expected = expected_logs(writers(random.Random(seed), f"seed-{seed}"))
            assert {trial: await stored(stub, trial) for trial in expected} == expected
