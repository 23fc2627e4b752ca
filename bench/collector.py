"""The collector with real launchers and a real DB manager: latency, memory, speed.

`python -m bench.collector --help` has the sizes. Trainer, launcher, collector, DB manager and the
reader that waits for rows share the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from bench import logs
from bench.filters import METRICS, extract
from bench.timing import seconds
from bench.tokens import tls_and_tokens
from tests.collector.pod_processes import Trial, eventually, terminate
from tests.dbmanager.dbmanager_process import program

_MIB = 1 << 20
_LAUNCH = Path(__file__).parents[1] / ".build" / "launch"
_LONGEST_TRAINING = 600.0
"""Seconds after which a trainer's container counts as stuck."""
_console = Console()

_PRINTER = """
import sys, time
for _ in range({count}):
    time.sleep({pause})
    print(f"loss={{time.time():.6f}}", flush=True)
"""
"""A trainer that prints the present time as its metric."""
_TALKER = """
import sys, time
piece = ("step fetched a batch of items from a shard\\n" * 24_000).encode()[: 1 << 20]
end = time.monotonic() + {seconds}
for _ in range({mib}):
    sys.stdout.buffer.write(piece)
    sys.stdout.flush()
    time.sleep({seconds} / {mib})
print("loss=1", flush=True)
"""
"""A trainer that writes a given number of MiB evenly, and a metric at the end."""


def run(_arguments: argparse.Namespace) -> None:
    """Print all tables with the default sizes of the command line."""
    _measure(_own_arguments([]))


def _own_arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.collector", description=__doc__)
    parser.add_argument("--points", type=int, default=2_000, help="points of the live training")
    parser.add_argument("--attempts", type=int, default=100, help="trainings whose end is measured")
    parser.add_argument("--mib", type=int, default=1_024, help="size of the large log")
    parser.add_argument("--idle", type=float, default=60.0, help="seconds of silence")
    parser.add_argument("--starts", type=int, default=7, help="measurements of the start")
    parser.add_argument("--only", choices=tuple(_PARTS), help="one table")
    return parser.parse_args(argv)


def _measure(arguments: argparse.Namespace) -> None:
    if not _LAUNCH.exists():
        _console.print(
            ".build/launch is missing (`make launcher`): trainers run under its Python twin"
        )
    for name, part in _PARTS.items():
        if arguments.only in {None, name}:
            with bench_pod() as pod:
                part(pod, arguments)


class BenchPod(Trial):
    """A trial whose collector collects the metrics of `bench.logs`."""

    database: Path

    def collect(self, *flags: str, under: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        """Start the collector, perhaps under another program."""
        return self.collector("-m", ";".join(METRICS), *flags, under=under)

    def launch(self, command: Sequence[str], *flags: str) -> subprocess.Popen[bytes]:
        """Start a trainer under the static launcher if it is built; its output is not read.

        A pipe would fill up, and the trainer would wait for a reader.
        """
        launcher = [str(_LAUNCH)] if _LAUNCH.exists() else [sys.executable, "-m", "launcher"]
        own = ["--run-dir", str(self.run_dir), *flags]
        own += [] if "--file" in flags else ["--capture"]
        return self._start([*launcher, "run", *own, "--", *command], stdout=subprocess.DEVNULL)


@contextmanager
def bench_pod() -> Iterator[BenchPod]:
    """Set up a pod and a DB manager on SQLite; end and remove both afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="trialwatch-bench-"))
    database = folder / "observations.db"
    try:
        with program(folder, f"sqlite:///{database}") as manager:
            pod = BenchPod(folder / "pod", manager.address)
            pod.database = database
            eventually(partial(_has_rows, database, 0), manager.log.read_text)
            try:
                yield pod
            finally:
                pod.end_all()
    finally:
        shutil.rmtree(folder)


def _live(pod: BenchPod, arguments: argparse.Namespace) -> None:
    """Measure the time from a line to its row, and from the trainer's end to the last reply."""
    table = _table("live", "p50", "p99", "worst", "aim")
    pod.collect()
    script = _PRINTER.format(count=arguments.points, pause=0.01)
    ages = _watched(
        pod, lambda: _wait_for(pod, pod.launch([sys.executable, "-c", script])), arguments.points
    )
    table.add_row("write to row, 100 points/s", *_spread(ages), "p50 <= 400, p99 <= 1000 ms")
    ends = [end_seconds(pod, ["sh", "-c", "echo loss=1"]) for _ in range(arguments.attempts)]
    table.add_row("end to delivered, small log", *_spread(ends), "p99 <= 300 ms")
    talker = _TALKER.format(mib=64, seconds=4.0)
    ends = [end_seconds(pod, [sys.executable, "-c", talker]) for _ in range(5)]
    table.add_row("the same, 64 MiB followed live", *_spread(ends), "p99 <= 300 ms")
    _console.print(table)


def _watched(pod: BenchPod, train: Callable[[], object], count: int) -> list[float]:
    """Return the ages in seconds at which the `count` rows of a training could be read."""
    ages: list[float] = []
    thread = threading.Thread(target=train)
    with closing(sqlite3.connect(f"file:{pod.database}?mode=ro", uri=True)) as database:
        thread.start()
        last, deadline = 0, time.monotonic() + 60 + count / 20
        query = "SELECT id, value FROM observation_logs WHERE id > ? ORDER BY id"
        while len(ages) < count and time.monotonic() < deadline:
            rows = database.execute(query, (last,)).fetchall()
            now = time.time()
            for last, value in rows:  # noqa: B007 - the last one is where the next look begins
                ages.append(now - float(value))
            time.sleep(0.005)
    thread.join()
    return ages


def end_seconds(pod: BenchPod, command: Sequence[str]) -> float:
    """Return the seconds from a trainer's end to the end of its container."""
    _wait_for(pod, pod.launch(command))
    over = time.time()
    newest = max((pod.run_dir / "attempts").iterdir(), key=lambda each: int(each.name))
    ended: float = json.loads((newest / "exit").read_text())["ended"]
    return over - ended


def _memory(
    pod: BenchPod, arguments: argparse.Namespace, flags: Sequence[str] = (), aim: int = 48
) -> None:
    """Measure the worker's peak memory on a small and a large log, and with its supervisor."""
    table = _table(f"memory{', with TLS and tokens' if flags else ''}", "MiB", "aim")
    peaks = {}
    for mib in (10, arguments.mib):
        log = logs.write_log(pod.folder / "all.log", mib * _MIB, logs.one_line_in_a_hundred)
        under = [str(_LAUNCH), "supervise", "--"] if _LAUNCH.exists() else []
        first = pod.collect("--echo=false", *flags, under=under)
        _wait_for(pod, pod.launch(["cat", str(log)]))
        worker = psutil.Process(first.pid)
        if under:
            [worker] = worker.children()
        peaks[mib] = _status(worker.pid, "VmHWM") / 1024
        together = sum(_pss(pid) for pid in {first.pid, worker.pid}) / 1024
        table.add_row(f"worker's peak RSS, log of {mib} MiB", f"{peaks[mib]:.1f}", f"{aim}")
        if under:
            row = "with its supervisor, PSS at the end"
            table.add_row(row, f"{together:.1f}", f"{aim + 8}")
        log.unlink()
        terminate(first)
    table.add_row("large less small", f"{peaks[arguments.mib] - peaks[10]:.1f}", "8")
    _console.print(table)


def _memory_with_tokens(pod: BenchPod, arguments: argparse.Namespace) -> None:
    """Measure the same as in a Guaranteed pod, whose sidecar has 64 MiB: with TLS and a token."""
    folder = pod.folder / "tokens"
    folder.mkdir()
    tls, auth, files = tls_and_tokens(folder)
    flags = (f"--db-manager-ca={files.ca}", f"--db-manager-token={files.token}")
    with program(folder, f"sqlite:///{folder}/o.db", *tls, *auth) as manager:
        own = BenchPod(folder / "pod", manager.address)
        try:
            _memory(own, arguments, flags, aim=55)
        finally:
            own.end_all()


def _idle(pod: BenchPod, arguments: argparse.Namespace) -> None:
    """Measure the share of a core for following a silent file."""
    log = pod.folder / "silent.log"
    collector = pod.collector("-path", str(log), source="file")
    pod.launch(["sh", "-c", f"echo loss=1 > {log}; exec sleep 600"], "--file", str(log))
    pod.await_following()
    time.sleep(5)
    before = psutil.Process(collector.pid).cpu_times()
    time.sleep(arguments.idle)
    after = psutil.Process(collector.pid).cpu_times()
    used = after.user + after.system - before.user - before.system
    table = _table("idle", "% of a core", "aim")
    table.add_row(f"silent for {arguments.idle:g} s", f"{100 * used / arguments.idle:.2f}", "0.3")
    _console.print(table)


def _start(pod: BenchPod, arguments: argparse.Namespace) -> None:
    """Measure the time from the start to `following`, and its parts."""
    parts = {
        "the interpreter": ["-c", "pass"],
        "with all imports": ["-c", "import collector.app"],
    }
    table = _table("start", "median ms", "aim")
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    for name, command in parts.items():
        times = [
            seconds(partial(subprocess.run, [sys.executable, *command], env=environ, check=True))
            for _ in range(arguments.starts)
        ]
        table.add_row(name, f"{1000 * statistics.median(times):.0f}", "")
    followed, stored = [], []
    pod.launch(["sh", "-c", "echo loss=1; exec sleep 600"])
    for number in range(arguments.starts):
        (pod.run_dir / "checkpoint").unlink(missing_ok=True)
        begun = time.perf_counter()
        pod.log.unlink(missing_ok=True)
        collector = pod.collect()
        pod.await_following()
        followed.append(time.perf_counter() - begun)
        eventually(partial(_has_rows, pod.database, number + 1), lambda: pod.log_text)
        stored.append(time.perf_counter() - begun)
        collector.kill()
        collector.wait()
    table.add_row("until it follows", f"{1000 * statistics.median(followed):.0f}", "500")
    table.add_row("until the first row is stored", f"{1000 * statistics.median(stored):.0f}", "")
    _console.print(table)


def _catch_up(pod: BenchPod, arguments: argparse.Namespace) -> None:
    """Measure the speed on an existing log, as a share of the speed of `filters` alone."""
    log = logs.write_log(pod.folder / "all.log", arguments.mib * _MIB, logs.one_line_in_a_thousand)
    own = pod.folder / "own.log"
    trainer = pod.launch(["cp", str(log), str(own)], "--file", str(own))
    eventually((pod.run_dir / "attempts" / "1" / "exit").exists, lambda: "no end")
    alone = seconds(lambda: extract(log, METRICS))
    begun = time.perf_counter()
    pod.collector("-m", ";".join(METRICS), "-path", str(own), "--echo=false", source="file")
    pod.await_following()
    following = time.perf_counter()
    _wait_for(pod, trainer)
    over = time.perf_counter()
    table = _table(f"catch-up, {arguments.mib} MiB", "s", "MiB/s", "share", "aim")
    for name, took in (
        ("filters alone", alone),
        ("from `following` to delivered", over - following),
        ("from the start to delivered", over - begun),
    ):
        share = "" if took == alone else f"{alone / took:.2f}"
        aim = ">= 0.60" if took == over - following else ""
        table.add_row(name, f"{took:.2f}", f"{arguments.mib / took:.0f}", share, aim)
    _console.print(table)


_PARTS = {
    "live": _live,
    "memory": _memory,
    "memory-tokens": _memory_with_tokens,
    "idle": _idle,
    "start": _start,
    "catch-up": _catch_up,
}


def _wait_for(pod: BenchPod, trainer: subprocess.Popen[bytes]) -> None:
    try:
        status: int | str = trainer.wait(_LONGEST_TRAINING)
    except subprocess.TimeoutExpired:
        status = f"none after {_LONGEST_TRAINING:g} s"
    if status:
        raise RuntimeError(f"a trainer's status is {status}: no figures\n{pod.log_text}")


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title)
    table.add_column("")
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def _spread(times: Sequence[float]) -> tuple[str, str, str]:
    ordered = sorted(times)
    chosen = (ordered[len(ordered) // 2], ordered[int(0.99 * (len(ordered) - 1))], ordered[-1])
    p50, p99, worst = (f"{1000 * each:.0f} ms" for each in chosen)
    return p50, p99, worst


def _status(pid: int, name: str) -> int:
    """Return a value of /proc/PID/status, in KiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def _pss(pid: int) -> int:
    """Return the memory of a process, shared pages in equal parts, in KiB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _has_rows(path: Path, count: int) -> bool:
    """Return whether the table exists and has at least this many rows."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            found: int = database.execute("SELECT count(*) FROM observation_logs").fetchone()[0]
    except sqlite3.OperationalError:
        return False
    return found >= count


if __name__ == "__main__":
    _measure(_own_arguments(sys.argv[1:]))
