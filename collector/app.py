"""From a command line to a session, and its steps until all work is done."""

from __future__ import annotations

import math
import random
import time
from posixpath import normpath
from typing import TYPE_CHECKING

from api.errors import TrialwatchError, Unavailable
from api.reductions import read_pod_reduction
from api.sidecar import CollectorArgs, MetricsSource
from api.types import LogFormat
from collector.change_waiter import ChangeWaiter
from collector.clock import SystemClock
from collector.core.plan import CollectorPlan
from collector.core.ports import CALL_SECONDS, Clock, MessageLog, Ports, Trainer
from collector.core.session import UNDELIVERED, Session
from collector.core.stop_rules import StopRules
from collector.disk_files import DiskFiles
from collector.end_signal import EndSignal
from collector.json_log import JsonLog
from collector.lazy_clients import LazyClients, db_manager_security
from collector.modes import has_event_files, mode_of, shared_volumes
from collector.network_proxy import IstioProxy
from collector.pod_token import source_prefix
from collector.stdout_writer import StdoutWriter
from collector.streams.files import FileSystem
from collector.termination_log import write_termination_message
from filters.extractor import extraction_spec

if TYPE_CHECKING:
    from collector.receiving.receivers import Receivers

_RETRY_SECONDS = 1.0
_LAST_SECONDS = 2.0
"""Seconds of the grace period that are left for the summary and the end of the process."""
_LEAST_CALL_SECONDS = 0.1


def start(args: CollectorArgs, end_signal: EndSignal) -> int:
    """Run a collector; return the exit status.

    Raises:
        TrialwatchError: a fault that no retry mends.
    """
    collector = Collector(args, end_signal)
    try:
        return collector.run()
    finally:
        collector.close()


class Collector:
    """Runs sessions until the work is done; a new one after each fault that a retry may mend."""

    def __init__(self, args: CollectorArgs, end_signal: EndSignal) -> None:
        """Open the ports.

        Raises:
            TrialwatchError: the flags do not fit together, or the run directory cannot be used.
        """
        self._end_signal = end_signal
        self._grace = args.grace.total_seconds()
        self._termination_log = args.termination_log
        self._log = JsonLog(args.log_level)
        self._plan = plan_of(args)
        for notice in self._plan.extraction.notices:
            self._log.write(notice)
        files, clock = DiskFiles(*shared_volumes(args)), SystemClock()
        self._mode = mode_of(args, self._plan, files, clock, self._log)
        self._echo = StdoutWriter() if args.echo and not self._plan.events else None
        self._clients = LazyClients(args, self._call_seconds)
        self._receivers = _receivers(args, self._mode.trainer, files, clock, self._log)
        self._ports = Ports(
            files=files,
            clock=clock,
            store=self._clients,
            trainer=self._mode.trainer,
            log=self._log,
            early_stopping=self._clients if args.early_stopping else None,
            echo=self._echo,
            proxy=IstioProxy() if args.quit_istio else None,
            journal=self._receivers.journal if self._receivers else None,
            before_stop=self._receivers.look if self._receivers else None,
        )
        self._waiter = ChangeWaiter(self._mode.watched, self._log.write)

    def run(self) -> int:
        """Collect until the work is done; return the exit status.

        Raises:
            TrialwatchError: a fault that no retry mends.
        """
        self._end_signal.then(self._on_end_signal)
        while True:
            try:
                return self._run_session()
            except Unavailable as error:
                if self._seconds_left() <= 0:
                    self._log.write(f"{error}; the grace period is over: ending")
                    return UNDELIVERED
                self._log.write(f"{error}; trying again")
                self._waiter.wait(_RETRY_SECONDS, _RETRY_SECONDS)

    def close(self) -> None:
        """Close the ports."""
        if self._receivers is not None:
            self._receivers.close()
        self._waiter.close()
        if self._echo is not None:
            self._echo.close()
        self._clients.close()
        self._mode.release()

    def _run_session(self) -> int:
        session = Session(self._plan, self._ports, random.Random())  # noqa: S311 - ids and back-off
        try:
            return self._take_steps(session)
        except TrialwatchError as error:
            self._leave_message(session.summary(str(error)))
            raise
        finally:
            session.close()

    def _take_steps(self, session: Session) -> int:
        hurried = False
        while True:
            if self._end_signal.received.is_set() and not hurried:
                hurried = True
                session.hurry(time.monotonic() + self._seconds_left())
                self._leave_message(session.summary())
            self._waiter.before_step()
            pause = session.step()
            if pause.done is not None:
                self._leave_message(session.summary())
                return pause.done
            if pause.most > 0:
                if session.following:
                    self._clients.load()
                longest = max(pause.least, min(pause.most, self._mode.longest_wait))
                self._waiter.wait(pause.least, longest)

    def _seconds_left(self) -> float:
        """Return the seconds until the collector must end; infinite before the signal."""
        at = self._end_signal.at
        if at is None:
            return math.inf
        grace = max(self._grace - _LAST_SECONDS, self._grace / 2)
        return at + grace - time.monotonic()

    def _call_seconds(self) -> float:
        """Return the longest time for a call: no call outlasts the grace period."""
        return max(_LEAST_CALL_SECONDS, min(CALL_SECONDS, self._seconds_left()))

    def _on_end_signal(self) -> None:
        self._mode.on_end_signal()
        self._waiter.wake()

    def _leave_message(self, message: bytes) -> None:
        write_termination_message(self._termination_log, message)


def _receivers(
    args: CollectorArgs, trainer: Trainer, files: FileSystem, clock: Clock, log: MessageLog
) -> Receivers | None:
    """Return what accepts points by calls; its modules are loaded only if the flags ask for it."""
    if not args.receives:
        return None
    from collector.receiving.receivers import Receivers  # noqa: PLC0415 - other sidecars stay small

    return Receivers(args, trainer, files, clock, log)


def plan_of(args: CollectorArgs) -> CollectorPlan:
    """Return what the flags ask to collect.

    Raises:
        UserError: the metrics, the format or the patterns make no sense.
        SetupError: the file of the token has no token of a pod.
    """
    rules = None
    if args.stop_rules:
        rules = StopRules(
            rules=args.stop_rules, objective=args.metrics[0], objective_type=args.objective_type
        )
    events = has_event_files(args)
    patterns = () if events else args.filters  # they are for lines
    return CollectorPlan(
        extraction=extraction_spec(
            args.metrics, args.format or LogFormat.TEXT, patterns, steps=args.steps
        ),
        run_dir=args.run_dir or None,
        state_dir=args.state_dir or None,
        path="" if events or args.source is MetricsSource.STDOUT else args.path,
        events=normpath(args.path) if events else "",
        rules=rules,
        source_prefix=source_prefix(db_manager_security(args).token),
        one_pod=args.one_pod,
        journal=args.receives,
        reduce=read_pod_reduction(args.reduce) if args.reduce else None,
        native=args.native,
    )
