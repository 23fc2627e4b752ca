"""Event files: the speed of reading them against tbparse, if it is installed, and the memory."""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.timing import seconds
from filters.event_files.extractor import event_spec
from filters.extractor import Position
from tests.filters.event_files.event_writer import beginning, scalar

TAGS = ("train/loss", "train/accuracy", "val/loss", "val/accuracy", "lr", "grad_norm")
_CHUNK = 1 << 18
_MIB = 1 << 20
_BEGAN = 1_700_000_000.0


def write_events(path: Path, size: int) -> Path:
    """Write an event file of at least `size` bytes: six values a step, one step in 10 ms."""
    with path.open("wb") as file:
        step = file.write(beginning(_BEGAN)) * 0
        while file.tell() < size:
            step += 1
            at = _BEGAN + step / 100
            file.write(b"".join(scalar(tag, 1 / (step + 1), step=step, at=at) for tag in TAGS))
    return path


def extract(path: Path, metrics: Sequence[str]) -> int:
    """Return the number of points in an event file."""
    extractor = event_spec(metrics).extractor(Position())
    count = 0
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            count += len(extractor.feed(chunk))
    return count


def run(arguments: argparse.Namespace) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="trialwatch-bench-") as folder:
        path = write_events(Path(folder) / "events.out.tfevents.1", arguments.mib * _MIB)
        theirs = _tbparse(Path(folder))
        table = Table(title=f"an event file of {arguments.mib} MiB with {len(TAGS)} tags")
        for heading in ("metrics", "ours s", "tbparse s", "x as fast", "peak MiB", "at most"):
            table.add_column(heading, justify="left" if heading == "metrics" else "right")
        for count in (1, 2, len(TAGS)):
            ours = seconds(partial(extract, path, TAGS[:count]))
            table.add_row(
                f"{count} of {len(TAGS)}",
                f"{ours:.2f}",
                "not installed" if theirs is None else f"{theirs:.2f}",
                "" if theirs is None else f"{theirs / ours:.1f}",
                _peak_mib(path, TAGS[:count]),
                "48",
            )
    Console(width=120).print(table)


def _tbparse(folder: Path) -> float | None:
    """Return the seconds in which tbparse reads all scalars; None if it is not installed."""
    if importlib.util.find_spec("tbparse") is None:
        return None
    script = "import sys, tbparse; tbparse.SummaryReader(sys.argv[1]).scalars"
    command = [sys.executable, "-c", script, str(folder)]
    return seconds(lambda: subprocess.run(command, check=True, capture_output=True))


_REPORTING = """
import re, sys
from pathlib import Path
from bench.event_files import extract
extract(Path(sys.argv[1]), sys.argv[2:])
print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
"""


def _peak_mib(path: Path, metrics: Sequence[str]) -> str:
    command = [sys.executable, "-c", _REPORTING, str(path), *metrics]
    done = subprocess.run(command, check=True, capture_output=True)
    return f"{int(done.stdout.split()[-1]) / 1024:.0f}"
