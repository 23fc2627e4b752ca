"""Pushes to a real collector: how long a call takes, how many are accepted in a second, and memory.

Beside each call stands what the disk takes for it: writing the same line to a file of the same
directory, with fdatasync.
"""

from __future__ import annotations

import argparse
import http.client
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from bench.collector import BenchPod, bench_pod
from tests.collector.pod_processes import Observations, eventually
from tests.dbmanager.database_servers import free_port

_CALLS = 2_000
_CLIENTS = 8
_BODY = '{"loss": 0.25, "step": 7}'
_LINE = b'[["loss","0.25",7,"2026-01-02T03:04:05.000006Z"]]\n'
_CLIENT = """
import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    connection.request("POST", "/push", sys.argv[3])
    answer = connection.getresponse()
    assert answer.read() and answer.status == 200
"""


def run(_arguments: argparse.Namespace) -> None:
    """Print the table."""
    table = Table("push", "measured", "disk alone", "aim", title="pushes to a collector")
    with bench_pod() as pod:
        port = free_port()
        collector = pod.collector(f"--push=127.0.0.1:{port}", "-m", "loss", "--echo=false")
        eventually((pod.run_dir / "push.sock").exists, lambda: pod.log_text)
        pod.launch(["sleep", "600"])
        pod.await_following()
        calls, disk = _one_client(port), _disk(pod.run_dir / "disk")
        for name, share in (("p50", 50), ("p99", 99)):
            call, write = (f"{_percentile(each, share):.2f} ms" for each in (calls, disk))
            aim = "< 1 ms" if name == "p50" else ""
            table.add_row(f"one call, warm client, {name}", call, write, aim)
        rate = _CLIENTS * _CALLS / _many_clients(port)
        table.add_row(f"{_CLIENTS} clients", f"{rate:,.0f} calls/s", "", ">= 2,000 calls/s")
        memory = psutil.Process(collector.pid).memory_info().rss / (1 << 20)
        table.add_row("memory of the collector after it", f"{memory:.0f} MiB", "", "<= 48 MiB")
        _await_all(pod)
    Console().print(table)


def _one_client(port: int) -> list[float]:
    """Return the seconds of each call."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    times = []
    for _ in range(_CALLS):
        begun = time.perf_counter()
        connection.request("POST", "/push", _BODY)
        connection.getresponse().read()
        times.append(time.perf_counter() - begun)
    connection.close()
    return times


def _disk(path: Path) -> list[float]:
    times = []
    with path.open("ab", buffering=0) as file:
        for _ in range(_CALLS):
            begun = time.perf_counter()
            file.write(_LINE)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - begun)
    return times


def _many_clients(port: int) -> float:
    """Return the seconds in which all clients have done their calls."""
    words = [sys.executable, "-c", _CLIENT, str(port), str(_CALLS), _BODY]
    begun = time.perf_counter()
    clients = [subprocess.Popen(words) for _ in range(_CLIENTS)]
    statuses = [client.wait() for client in clients]
    if any(statuses):
        raise SystemExit("a push was refused")
    return time.perf_counter() - begun


def _percentile(times: list[float], share: int) -> float:
    """Return a percentile in milliseconds."""
    return 1000 * statistics.quantiles(times, n=100)[share - 1]


def _await_all(pod: BenchPod) -> None:
    """Wait until the store has each accepted point."""
    stored = Observations(pod.database)
    expected = (_CLIENTS + 1) * _CALLS
    eventually(lambda: len(stored.values(pod.name)) == expected, lambda: pod.log_text)
