"""From a command line to a session, and its steps until there is nothing left to do."""

from __future__ import annotations

import contextlib
import os
import random
import time
from pathlib import Path
from posixpath import basename, dirname

from api.errors import SetupError, TrialwatchError, Unavailable
from api.names import ATTEMPTS_DIR, MARKER_SUFFIX
from api.sidecar import CollectorArgs, Salvage, Source
from api.types import LogFormat
from collector.core.collecting import IDLE_SECONDS
from collector.core.plan import Plan
from collector.core.ports import Ports, Runs
from collector.core.session import Session
from collector.core.stopping import StopRules
from collector.core.summary import summary_of
from collector.disk import Disk
from collector.ending import Ending
from collector.fifo import Fifo
from collector.katib.processes import KernelProcesses
from collector.katib.runs import KatibRuns, Wrapped
from collector.launched import Launched
from collector.lock import Lock
from collector.logs import Log
from collector.push import DbManager, EarlyStoppingService
from collector.showing import Stdout
from collector.unwrapped import Unwrapped
from collector.wake import Wakeup, Watched, nearest_that_exists
from filters.extractor import extraction_spec

BAD_SETUP = 2
"""The exit status where no retry helps, beside a supervisor that takes it as final."""
_RETRY_SECONDS = 1.0
_LEAST_POLL = 0.1
"""Seconds; looking at all processes more often than that would be a busy loop."""
_NAME_FOR_ROTATED = 3
"""Characters of a log's name that its rotated files begin with as well."""


class SystemClock:
    """`collector.core.ports.Clock`."""

    def micros(self) -> int:
        """Return microseconds since 1970."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Return seconds since some moment."""
        return time.monotonic()


class Collector:
    """One process's work."""

    def __init__(self, args: CollectorArgs, ending: Ending) -> None:
        """Take the run directory.

        Raises:
            TrialwatchError: what is asked for makes no sense here.
        """
        self._args = args
        self._log = Log()
        self._files = Disk()
        self._clock = SystemClock()
        self._ending = ending
        # Processes make no events: whoever has to look at them looks as often as `-p` says.
        self._longest = (
            IDLE_SECONDS if args.run_dir else max(_LEAST_POLL, args.poll_interval.total_seconds())
        )
        self._wanted = extraction_spec(args.metrics, args.format or LogFormat.TEXT, args.filters)
        for notice in self._wanted.notices:
            self._log.tell(notice)
        self._plan = Plan(
            extraction=self._wanted,
            run_dir=args.run_dir or None,
            path="" if args.source is Source.STDOUT else args.path,
            rules=_rules(args),
            native=args.native,
        )
        self._lock = None
        if args.run_dir:
            _make_attempts(args.run_dir)
            self._lock = Lock(args.run_dir)
        self._echo = Stdout() if args.echo else None
        self._unwrapped = None
        self._runs: Runs
        if not args.run_dir:
            self._runs = KatibRuns(
                _wrapped(args), self._files, KernelProcesses(), self._clock, self._log.tell
            )
        elif args.unwrapped:
            self._unwrapped = Unwrapped(args.run_dir, args.path, self._files, self._clock)
            self._runs = self._unwrapped
        else:
            self._runs = Launched(args.run_dir, self._files, Fifo(args.run_dir))
        self._sink = DbManager(args.db_manager, args.trial, args.namespace)
        self._early_stopping = (
            EarlyStoppingService(args.early_stopping, args.trial, args.namespace)
            if args.early_stopping
            else None
        )
        self._wakeup = Wakeup(self._watched, self._log.tell)

    def run(self) -> int:
        """Collect until all is done; return the exit status.

        Raises:
            TrialwatchError: what no retry cures.
        """
        self._ending.then(self._end)
        while True:
            try:
                return self._collect()
            except Unavailable as error:
                self._log.tell(f"{error}; trying again")
                self._wakeup.wait(_RETRY_SECONDS, _RETRY_SECONDS)

    def close(self) -> None:
        """Let go of everything."""
        self._wakeup.close()
        if self._echo is not None:
            self._echo.close()
        self._sink.close()
        if self._early_stopping is not None:
            self._early_stopping.close()
        if self._lock is not None:
            self._lock.release()

    def _collect(self) -> int:
        ports = Ports(
            files=self._files,
            clock=self._clock,
            sink=self._sink,
            runs=self._runs,
            reporter=self._log,
            early_stopping=self._early_stopping,
            echo=self._echo,
        )
        session = Session(self._plan, ports, random.Random())  # noqa: S311 - ids and back-off
        hurried = False
        try:
            while True:
                if self._ending.told.is_set() and not hurried:
                    hurried = True
                    session.told_to_end()
                    self._leave(session.summary())
                self._wakeup.before_step()
                pause = session.step()
                if pause.done is not None:
                    self._leave(session.summary())
                    return pause.done
                if pause.most > 0:
                    longest = max(pause.least, min(pause.most, self._longest))
                    self._wakeup.wait(pause.least, longest)
        except TrialwatchError as error:
            self._leave(session.summary(str(error)))
            raise
        finally:
            session.close()

    def _end(self) -> None:
        if self._unwrapped is not None:
            self._unwrapped.end()
        self._wakeup.wake()

    def _watched(self) -> list[Watched]:
        if not self._args.run_dir:
            return [
                *self._watched_log(),
                Watched(dirname(self._plan.path) or ".", suffix=MARKER_SUFFIX),
            ]
        attempts = f"{self._args.run_dir}/{ATTEMPTS_DIR}"
        found = [Watched(attempts, records=True)]
        with contextlib.suppress(ValueError, TrialwatchError):
            newest = max(int(name) for name in self._files.names(attempts) if name.isdecimal())
            found.append(Watched(f"{attempts}/{newest}", records=True))
        return [*found, *self._watched_log()]

    def _watched_log(self) -> list[Watched]:
        path = self._plan.path
        if not path:
            return []
        where = nearest_that_exists(dirname(path) or ".")
        here = where == (dirname(path) or ".")
        return [Watched(where, basename(path)[:_NAME_FOR_ROTATED] if here else "")]

    def _leave(self, message: bytes) -> None:
        leave_message(self._args.termination_log, message)


def give_up(salvage: Salvage, cause: str, ending: Ending) -> int:
    """Say why nothing will be collected, wherever somebody may wait for it.

    Native sidecars tell each attempt's launcher, lest it wait, and stay until they are told to go:
    the kubelet would start them again. Returns the exit status.
    """
    Log().tell(cause)
    leave_message(salvage.termination_log, summary_of({"delivered": False, "why": cause}, {}, ()))
    if not salvage.native:
        return BAD_SETUP
    fifo, told = Fifo(salvage.run_dir), set[int]()
    while not ending.told.wait(_RETRY_SECONDS / 2):
        with contextlib.suppress(TrialwatchError, OSError):
            for attempt in Launched(salvage.run_dir, Disk(), fifo).started():
                if attempt not in told and fifo.delivered(attempt, cause):
                    told.add(attempt)
    return 0


def leave_message(path: str, message: bytes) -> None:
    """Write the termination message, where there is a place for it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
        try:
            os.write(descriptor, message)
        finally:
            os.close(descriptor)


def _wrapped(args: CollectorArgs) -> Wrapped:
    return Wrapped(
        path=args.path,
        poll=args.poll_interval.total_seconds(),
        timeout=args.timeout.total_seconds() or None,
    )


def _make_attempts(run_dir: str) -> None:
    """Make the directory of the attempts, writable for the launcher, whoever it is."""
    path = f"{run_dir}/{ATTEMPTS_DIR}"
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(
            f"cannot make {path} as user {os.geteuid()}: {os.strerror(error.errno or 0)}. "
            "--run-dir has to be a volume that this user may write"
        ) from error
    with contextlib.suppress(OSError):  # the launcher's own
        Path(path).chmod(0o777)


def _rules(args: CollectorArgs) -> StopRules | None:
    if not args.stop_rules:
        return None
    return StopRules(
        rules=args.stop_rules, objective=args.metrics[0], objective_type=args.objective_type
    )


def start(args: CollectorArgs, ending: Ending) -> int:
    """Run a collector; return the exit status.

    Raises:
        TrialwatchError: what no retry cures.
    """
    collector = Collector(args, ending)
    try:
        return collector.run()
    finally:
        collector.close()
