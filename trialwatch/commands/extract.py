"""Show which metrics would be collected from a log, for example to test a metricsFormat.

Standard output has one JSON object per point:

    {"name": ..., "value": ..., "timestamp": RFC 3339 or null, "line": from 1}

and "step" where the line, or the progress line before it, has the training's own counter.
Of a directory, the event files below it are read, as for collector kind TensorFlowEvent: "file" is
then the file, and "line" the number of the record.
Standard error has a summary; for a metric without points, it shows the most similar lines.
Exit status: 0 (also if nothing was found), 2 for bad input.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO

from api.errors import UserError
from api.types import LogFormat
from filters.extractor import ExtractionSpec, Extractor, extraction_spec
from filters.near_misses import NearMisses
from trialwatch.output.extraction_summary import summary

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from filters.points import ExtractedPoint

EXAMPLES = """\
examples:
    trialwatch extract --metrics 'loss;accuracy' train.log
    python train.py | trialwatch extract --metrics loss -
"""
_CHUNK = 1 << 18
_LONG = 64 << 20
"""Bytes; a progress bar is shown for longer logs."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--metrics",
        required=True,
        metavar="'A;B'",
        help="metric names as the training prints them, separated by semicolons",
    )
    parser.add_argument(
        "--format",
        default="TEXT",
        metavar="TEXT|JSON",
        help="TEXT (default), or JSON: one object per line",
    )
    parser.add_argument(
        "--filter",
        action="append",
        default=[],
        metavar="REGEX",
        help="a metricsFormat: group 1 is the name, group 2 the value; may be repeated; "
        "by default, metrics are found by their names in the usual formats of trainers",
    )
    parser.add_argument(
        "file",
        metavar="FILE",
        help="the log file, - for standard input, or a directory of event files",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the points of a log and a summary; return the exit status."""
    # The root has event files of others, and the kernel's files, which cannot all be listed.
    if arguments.file not in ("-", "/") and Path(arguments.file).is_dir():
        return _run_on_event_files(Path(arguments.file), arguments)
    wanted = _wanted(arguments.metrics, arguments.format, arguments.filter)
    for notice in wanted.notices:
        print(f"note: {notice}", file=sys.stderr)
    near = NearMisses(wanted.metrics, wanted.how)
    extractor = Extractor(wanted, near_misses=near)
    with _opened(arguments.file) as log, _progress(log) as advance:
        while chunk := _read(log, arguments.file):
            _print(extractor.feed(chunk))
            advance(len(chunk))
    _print(extractor.finish())
    print(summary(extractor.counters, wanted, near), file=sys.stderr)
    for name in wanted.metrics:
        if "," in name and name not in extractor.counters.by_metric:
            names = ";".join(part.strip() for part in name.split(","))
            print(
                f"note: {name!r} is one name; for several, write --metrics {names!r}",
                file=sys.stderr,
            )
    return 0


def _run_on_event_files(directory: Path, arguments: argparse.Namespace) -> int:
    from trialwatch.output.event_points import EventFolder  # noqa: PLC0415 - logs do not need it

    if arguments.filter or arguments.format != "TEXT":
        option = "--filter" if arguments.filter else "--format"
        raise UserError(
            f"{option} is for logs, and {str(directory)!r} is a directory: leave it out"
        )
    folder = EventFolder(directory, _names(arguments.metrics))
    for path, points in folder.points():
        _print(points, {"file": str(path.relative_to(directory))})
    print(folder.summary(), file=sys.stderr)
    return 0


def _names(metrics: str) -> list[str]:
    names = [name.strip() for name in metrics.split(";")]
    return [name for name in names if name]


def _wanted(metrics: str, log_format: str, filters: list[str]) -> ExtractionSpec:
    if log_format not in tuple(LogFormat):
        raise UserError(f"--format {log_format!r} is unknown: use TEXT or JSON")
    return extraction_spec(_names(metrics), LogFormat(log_format), filters)


def _print(points: list[ExtractedPoint], more: Mapping[str, str] = MappingProxyType({})) -> None:
    if not points:
        return
    sys.stdout.write(
        "".join(
            json.dumps(
                {
                    "name": point.name,
                    "value": point.value,
                    "timestamp": point.timestamp,
                    "line": point.line,
                    **({} if point.step is None else {"step": point.step}),
                    **more,
                },
                ensure_ascii=False,
            )
            + "\n"
            for point in points
        )
    )
    sys.stdout.flush()


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    # Unbuffered, so that `tail -f | trialwatch extract -` shows metrics at once.
    try:
        if name == "-":
            log = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115 - see above
        else:
            log = Path(name).open("rb", buffering=0)  # noqa: SIM115 - closed below
    except OSError as error:
        raise _unreadable(name, error) from error
    with log:
        yield log


def _read(log: BinaryIO, name: str) -> bytes:
    try:
        return log.read(_CHUNK)
    except OSError as error:
        raise _unreadable(name, error) from error


def _unreadable(name: str, error: OSError) -> UserError:
    reason = error.strerror or str(error)
    return UserError(
        f"cannot read {name!r}: {reason}; write the path of a log file or of a directory of event"
        " files, or - for standard input"
    )


def _progress(log: BinaryIO) -> AbstractContextManager[Callable[[int], None]]:
    """Return a function that shows the progress of reading a long log.

    Only if standard error is a terminal and standard output is not, because both together would be
    unreadable.
    """
    size = os.fstat(log.fileno()).st_size
    if not sys.stderr.isatty() or sys.stdout.isatty() or size < _LONG:
        return nullcontext(_silent)
    return _bar(size)


def _silent(_count: int) -> None:
    """Show nothing."""


@contextmanager
def _bar(size: int) -> Iterator[Callable[[int], None]]:
    from rich.console import Console  # noqa: PLC0415 - takes 60 ms, which short logs do not need
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn  # noqa: PLC0415

    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    # No redirection: rich would wrap the lines of standard output.
    with Progress(*columns, console=console, redirect_stdout=False) as bar:
        task = bar.add_task("reading", total=size)
        yield lambda count: bar.advance(task, count)
