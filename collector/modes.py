"""The three ways in which a collector runs beside a trainer; each builds its own ports.

| mode      | flags                   | attempts                      | end of an attempt         |
|-----------|-------------------------|-------------------------------|---------------------------|
| launched  | `--run-dir`             | one for each launcher record  | the launcher writes it    |
| unwrapped | `--run-dir --unwrapped` | one, from the first look      | SIGTERM                   |
| Katib's   | none of these           | one, the shell of Katib's pod | the end of the shell      |
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from posixpath import basename, dirname, normpath
from typing import TypeAlias

from api.errors import SetupError, TrialwatchError
from api.names import ATTEMPTS_DIR, MARKER_SUFFIX
from api.sidecar import CollectorArgs, MetricsSource
from collector.change_waiter import WatchedDirectory, nearest_that_exists
from collector.control_fifo import ControlFifo
from collector.core.attempt_collector import IDLE_SECONDS
from collector.core.plan import CollectorPlan
from collector.core.ports import Clock, MessageLog, Trainer
from collector.launched_trainer import LaunchedTrainer
from collector.run_directory_lock import RunDirectoryLock
from collector.shared_volume import SharedVolume
from collector.streams.files import FileSystem
from collector.unwrapped_trainer import UnwrappedTrainer

_LEAST_POLL = 0.1
"""Seconds between two looks at all processes; less would be a busy loop."""
_MOST_WATCHED = 50
"""Directories of event files whose changes end a wait; in others, changes are seen later."""
_NAME_FOR_ROTATED = 3
"""The first characters of a log's name; the names of its rotated files begin with them too."""


_Watched: TypeAlias = Callable[[], list[WatchedDirectory]]


def _do_nothing() -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """What differs between the modes."""

    trainer: Trainer
    longest_wait: float
    """Seconds between two steps, at most."""
    watched: Callable[[], list[WatchedDirectory]]
    """Returns the directories whose changes end a wait."""
    on_end_signal: Callable[[], None] = _do_nothing
    """What to do when the collector is told to end."""
    release: Callable[[], None] = _do_nothing
    """Releases what the mode holds, at the end."""


def has_event_files(args: CollectorArgs) -> bool:
    """Return whether the metrics are in event files.

    Katib's webhook does not say so. But it gives a format with each path of a file, and mounts a
    volume at the directory of event files, so that the directory exists.
    """
    if args.source is not None or args.run_dir or args.format is not None:
        return args.source is MetricsSource.EVENTS
    return Path(args.path).is_dir()


def shared_volumes(args: CollectorArgs) -> list[SharedVolume]:
    """Return the directories that the trainer may write to."""
    volumes = [SharedVolume(args.run_dir)] if args.run_dir else []
    if args.source is not MetricsSource.STDOUT:
        of_path = args.path if has_event_files(args) else dirname(args.path)
        directory = args.volume or of_path or "."
        volumes.append(SharedVolume(normpath(directory), links=True))
    return volumes


def mode_of(
    args: CollectorArgs, plan: CollectorPlan, files: FileSystem, clock: Clock, log: MessageLog
) -> Mode:
    """Return the mode that the flags ask for; the plan has the metrics file, if there is one.

    Raises:
        SetupError: the run directory cannot be used, or another collector uses it.
    """
    if not args.run_dir:
        return _katib(args, plan, files, clock, log)
    metrics = partial(_watched_metrics, plan, files)
    _make_attempts(args.run_dir)
    lock = RunDirectoryLock(args.state_dir or args.run_dir)
    if args.unwrapped:
        return _unwrapped(args, metrics, files, clock, lock)
    return _launched(args, metrics, files, lock)


def _launched(
    args: CollectorArgs, metrics: _Watched, files: FileSystem, lock: RunDirectoryLock
) -> Mode:
    return Mode(
        trainer=LaunchedTrainer(args.run_dir, files, ControlFifo(args.run_dir)),
        longest_wait=IDLE_SECONDS,
        watched=lambda: [*_watched_attempts(args.run_dir, files), *metrics()],
        release=lock.release,
    )


def _unwrapped(
    args: CollectorArgs,
    metrics: _Watched,
    files: FileSystem,
    clock: Clock,
    lock: RunDirectoryLock,
) -> Mode:
    trainer = UnwrappedTrainer(args.run_dir, args.path, files, clock)
    return Mode(
        trainer=trainer,
        longest_wait=IDLE_SECONDS,
        watched=lambda: [*_watched_attempts(args.run_dir, files), *metrics()],
        on_end_signal=trainer.end,
        release=lock.release,
    )


def _katib(
    args: CollectorArgs,
    plan: CollectorPlan,
    files: FileSystem,
    clock: Clock,
    log: MessageLog,
) -> Mode:
    # Takes 4 ms, and only Katib's own webhook starts collectors in this mode.
    from collector.katib.katib_trainer import KatibTrainer, WrappedTrainer  # noqa: PLC0415
    from collector.katib.processes import KernelProcesses  # noqa: PLC0415

    wrapped = WrappedTrainer(
        # Katib's markers are beside a file, and in the directory of event files.
        path=f"{plan.events}/events" if plan.events else args.path,
        poll=args.poll_interval.total_seconds(),
        timeout=args.timeout.total_seconds() or None,
    )
    markers = WatchedDirectory(dirname(wrapped.path) or ".", suffix=MARKER_SUFFIX)
    return Mode(
        trainer=KatibTrainer(wrapped, files, KernelProcesses(), clock, log),
        longest_wait=max(_LEAST_POLL, wrapped.poll),  # processes make no events, so they are polled
        watched=lambda: [*_watched_metrics(plan, files), markers],
    )


def _watched_attempts(run_dir: str, files: FileSystem) -> list[WatchedDirectory]:
    """Return the directory of the attempts, and that of the newest attempt."""
    attempts = f"{run_dir}/{ATTEMPTS_DIR}"
    watched = [WatchedDirectory(attempts, records=True)]
    with contextlib.suppress(ValueError, TrialwatchError):
        newest = max(int(name) for name in files.names(attempts) if name.isdecimal())
        watched.append(WatchedDirectory(f"{attempts}/{newest}", records=True))
    return watched


def _watched_metrics(plan: CollectorPlan, files: FileSystem) -> list[WatchedDirectory]:
    """Return the directories of the metrics file, or of the event files, and of the journal."""
    return [*_watched_journal(plan, files), *_watched_files(plan, files)]


def _watched_journal(plan: CollectorPlan, files: FileSystem) -> list[WatchedDirectory]:
    """Return the directory of the newest journal, or the nearest existing one above it."""
    if not plan.journal:
        return []
    directory = dirname(plan.journal_directory(0))
    numbers = (int(name) for name in files.names(directory) if name.isdecimal())
    return [WatchedDirectory(nearest_that_exists(plan.journal_directory(max(numbers, default=0))))]


def _watched_files(plan: CollectorPlan, files: FileSystem) -> list[WatchedDirectory]:
    if not plan.events:
        return _watched_log(plan.path)
    directories = [nearest_that_exists(plan.events)]
    for directory in directories:
        with contextlib.suppress(TrialwatchError):
            inner = files.directories(directory) if directory.startswith(plan.events) else ()
            directories += (f"{directory}/{name}" for name in sorted(inner))
        del directories[_MOST_WATCHED:]
    return [WatchedDirectory(directory) for directory in directories]


def _watched_log(path: str) -> list[WatchedDirectory]:
    """Return the directory of the metrics file, or the nearest existing one above it."""
    if not path:
        return []
    directory = dirname(path) or "."
    existing = nearest_that_exists(directory)
    prefix = basename(path)[:_NAME_FOR_ROTATED] if existing == directory else ""
    return [WatchedDirectory(existing, prefix)]


def _make_attempts(run_dir: str) -> None:
    """Make the directory of the attempts, writable for the launcher, which may be another user."""
    path = f"{run_dir}/{ATTEMPTS_DIR}"
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(
            f"cannot make {path} as user {os.geteuid()}: {os.strerror(error.errno or 0)}. "
            "--run-dir must be a volume that this user may write"
        ) from error
    with contextlib.suppress(OSError):  # the launcher made it
        directory = SharedVolume(run_dir).open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fchmod(directory, 0o777)
        finally:
            os.close(directory)
