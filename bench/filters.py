"""Extraction from files: speed relative to the plain loop, and peak memory."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from bench import logs, reference
from bench.timing import in_turn, seconds
from filters.extractor import Extractor, extraction_spec

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

METRICS = ["loss", "accuracy", "val_loss"]
TWENTY = ["loss", "accuracy", *(f"metric_{letter}" for letter in "abcdefghijklmnopqr")]
_CHUNK = 1 << 18
_MIB = 1 << 20
_LARGE = 1 << 30


def extract(path: Path, metrics: Sequence[str], patterns: Sequence[str] = ()) -> int:
    """Return the number of points in a file; the points are created with times and line numbers."""
    extractor = Extractor(extraction_spec(metrics, patterns=patterns))
    count = 0
    with path.open("rb", buffering=0) as log:
        while chunk := log.read(_CHUNK):
            count += len(extractor.feed(chunk))
    return count + len(extractor.finish())


def run(arguments: argparse.Namespace) -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory(prefix="trialwatch-bench-") as folder:
        _speed(Path(folder), arguments)
        _memory(Path(folder))


def _speed(folder: Path, arguments: argparse.Namespace) -> None:
    size = arguments.mib * _MIB
    sparse = logs.write_log(folder / "sparse.log", size, logs.one_line_in_a_hundred)
    dense = logs.write_log(folder / "dense.log", size, logs.every_line)
    seeds = logs.write_log(folder / "seeds.log", size // 4, logs.seeds_format)
    plain, plain_re2 = reference.plain_loop, reference.plain_loop_re2
    example = [reference.SEEDS]
    rows: list[tuple[str, Path, list[str], list[str], Callable[..., int], str, str]] = [
        ("1 line in 100 has metrics", sparse, METRICS, [], plain, "4", "8"),
        ("every line has 2 of 3 metrics", dense, METRICS, [], plain, "1.2", "2"),
        ("20 names, 2 of them occur", sparse, TWENTY, [], plain, "0.7", ""),
        ("pattern of Katib's example", seeds, METRICS, example, plain_re2, "0.15", "0.5"),
    ]
    table = Table(title=f"extraction, logs of {arguments.mib} MiB (pattern: a quarter)")
    for heading in (
        "log",
        "ours s",
        "R s",
        "ours MiB/s",
        "x R",
        "at least",
        "aim",
        "grep -cF s",
        "peer s",
    ):
        table.add_column(heading, justify="left" if heading == "log" else "right")
    for label, path, metrics, patterns, loop, least, aim in rows:
        names = [name.encode() for name in metrics]
        pair = in_turn(
            partial(extract, path, metrics, patterns), partial(loop, path, names), arguments.rounds
        )
        rate = path.stat().st_size / _MIB / pair.ours
        table.add_row(
            label,
            f"{pair.ours:.2f}",
            f"{pair.reference:.2f}",
            f"{rate:.0f}",
            f"{pair.times_as_fast:.2f}",
            least,
            aim,
            _grep(path, metrics),
            _peer(arguments.peer, path, metrics),
        )
    Console(width=120).print(table)


def _grep(path: Path, metrics: Sequence[str]) -> str:
    grep = shutil.which("grep")
    if grep is None:
        return "no grep"
    names = [word for name in metrics for word in ("-e", name)]
    command = [
        grep,
        "-cF",
        *names,
        str(path),
    ]  # through a pipe, because grep reads nothing if its output is /dev/null
    return f"{seconds(lambda: subprocess.run(command, check=False, capture_output=True)):.2f}"


def _peer(command: str | None, path: Path, metrics: Sequence[str]) -> str:
    if command is None:
        return ""
    words = [
        word.replace("{file}", str(path)).replace("{metrics}", ";".join(metrics))
        for word in shlex.split(command)
    ]
    return f"{seconds(lambda: _quietly(words)):.2f}"


def _quietly(words: list[str]) -> None:
    subprocess.run(words, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _memory(folder: Path) -> None:
    """Print the peak that the child itself reports, because a child inherits its parent's peak."""
    table = Table(title="peak memory of `trialwatch extract` (VmHWM)")
    table.add_column("log")
    table.add_column("MiB", justify="right")
    table.add_column("at most", justify="right")
    for label, line in (
        ("1 line in 100", logs.one_line_in_a_hundred),
        ("every line", logs.every_line),
    ):
        path = logs.write_log(folder / "large.log", _LARGE, line)
        table.add_row(f"1 GiB, {label}", _peak_mib(path), "64")
    one_line = folder / "large.log"
    with one_line.open("wb") as log:
        for _ in range(1 << 10):
            log.write(b"x" * _MIB)
        log.write(b" loss=0.5\n")
    table.add_row("1 GiB, one line", _peak_mib(one_line), "64")
    Console(width=120).print(table)


_REPORTING = """
import re, sys
from trialwatch.__main__ import main
status = main(sys.argv[1:])
peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())
print(peak[1], file=sys.stderr)
"""


def _peak_mib(path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _REPORTING, "extract", "--metrics", ";".join(METRICS), str(path)],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    return f"{int(done.stderr.split()[-1]) / 1024:.0f}"
