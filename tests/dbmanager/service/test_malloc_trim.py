"""The process returns the memory of a very large report."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import psutil

from api.timestamps import from_micros
from api.v1beta1 import api_pb2 as pb
from tests.dbmanager.dbmanager_process import program
from tests.dbmanager.persistent_writers import manager_at, opened

POINTS = 80_000
REPORTS = 8
MIB = 1 << 20
KEPT = 40 * MIB
"""The reports take three times that, and without `malloc_trim` the C library keeps most of it."""


async def test_the_memory_of_the_largest_reports_is_returned(tmp_path: Path) -> None:
    request = pb.ReportObservationLogRequest(trial_name="large")
    add = request.observation_log.metric_logs.add
    for n in range(POINTS):
        add(time_stamp=from_micros(n), metric=pb.Metric(name="loss", value=str(n)))
    with program(tmp_path, f"sqlite:///{tmp_path}/large.db") as manager:
        async with manager_at(manager.address) as stub:
            await opened(stub)
            memory = psutil.Process(manager.pid).memory_info
            before = memory().rss
            await asyncio.gather(*(stub.ReportObservationLog(request) for _ in range(REPORTS)))
            deadline = time.monotonic() + 30
            while memory().rss > before + KEPT:
                assert time.monotonic() < deadline, f"{(memory().rss - before) // MIB} MiB stay"
                time.sleep(0.05)
