"""`run`: starts the trainer, forwards signals and output, and holds the container at the end."""

from __future__ import annotations

import math
import os
import select
import signal
import sys
import time
from dataclasses import dataclass, field

from api.names import CONTROL_DELIVERED, CONTROL_FOLLOWING, CONTROL_GAVE_UP, CONTROL_STOP
from api.run_directory import ExitRecord
from launcher import linux
from launcher.attempt import Attempt, SetupFailed, set_up
from launcher.options import RunOptions
from launcher.processes import (
    STDERR,
    Inherited,
    become,
    exit_code,
    forward_signal,
    from_outside,
    kill_others,
    note_inherited,
    signal_others,
    start,
)

_PROGRAM = "launcher run"
_NEVER = math.inf
_LONGEST_POLL = 3600.0
_LONGEST_LINE = 2048


def run(options: RunOptions) -> int:
    """Run the trainer; return its exit status. If the set-up fails, become the trainer."""
    inherited = note_inherited()
    try:
        attempt = set_up(options, inherited)
        linux.adopt_orphans(adopt=True)
        trainer = _start(options, attempt, inherited)
    except (SetupFailed, OSError) as fault:
        linux.adopt_orphans(adopt=False)
        if STDERR not in inherited.closed:
            sys.stderr.write(
                f"{_PROGRAM}: {fault} (--run-dir {os.fsdecode(options.run_dir)}); the trainer runs "
                "without the launcher, without metrics\n"
            )
            sys.stderr.flush()
        become(_PROGRAM, options.command, inherited)
    return _AttemptRun(options, attempt, trainer).watch()


def _start(options: RunOptions, attempt: Attempt, inherited: Inherited) -> int:
    trainer = start(_PROGRAM, options.command, inherited, session=True, streams=attempt.pipes)
    for trainer_end in set(attempt.pipes.values()):
        os.close(trainer_end)
    # The trainer's closed files must really close, so the launcher keeps only what it forwards.
    forwarded = {stream.target for stream in attempt.streams}
    for descriptor in {0, 1, 2} - forwarded:
        os.dup2(attempt.null, descriptor)
    return trainer


@dataclass(slots=True)
class _AttemptRun:
    """The course of one attempt. Times are by the monotonic clock, but for `ended_at`."""

    options: RunOptions
    attempt: Attempt
    trainer: int
    status: int = 0
    ended_at: float = 0.0
    ended: bool = False
    recorded: bool = False
    stopped: bool = False
    following: bool = False
    delivered: bool = False
    children_left: bool = True
    end_signal_at: float = -_NEVER
    kill_at: float = _NEVER
    stop_until: float = _NEVER
    hold_from: float = 0.0
    unfinished_line: bytes = field(default=b"")

    def watch(self) -> int:
        """Poll until all is over; return the exit status."""
        while True:
            until = self._keep_time()
            if self._is_over():
                return 0 if self.stopped else exit_code(self.status)
            seen = self._poll(until)
            if self.attempt.signals in seen:
                self._read_signals()
            if self.attempt.control in seen:
                self._read_control()
            for stream in self.attempt.streams:
                if stream.source is not None and seen.get(stream.source):
                    stream.read_once()
                    stream.send_onward(select.POLLOUT if _is_ready(stream.target) else 0)
                elif stream.target is not None and seen.get(stream.target):
                    stream.send_onward(seen[stream.target])

    def _poll(self, until: float) -> dict[int, int]:
        poll = select.poll()
        poll.register(self.attempt.signals, select.POLLIN)
        poll.register(self.attempt.control, select.POLLIN)
        for stream in self.attempt.streams:  # read nothing while bytes wait to be forwarded
            if stream.source is not None and not stream.held:
                poll.register(stream.source, select.POLLIN)
            if stream.target is not None:
                poll.register(stream.target, select.POLLOUT if stream.held else 0)
        wait = min(max(0.0, until - time.monotonic()), _LONGEST_POLL)
        return dict(poll.poll(math.ceil(wait * 1000)))

    def _keep_time(self) -> float:
        """Do what is due; return when the next thing is due."""
        now = time.monotonic()
        if not self.ended and now >= self.kill_at:
            os.kill(self.trainer, signal.SIGKILL)
            self.kill_at = _NEVER
        if not self.ended:
            return self.kill_at
        if not self.recorded:
            if self.stopped and self.children_left and now < self.stop_until:
                return self.stop_until
            self._finish()
        return self._end_signal_until() if self.delivered else self._hold_until()

    def _is_over(self) -> bool:
        for stream in self.attempt.streams:
            stream.release(self.attempt.null)
        if not self.recorded:
            return False
        sent = all(stream.target is None for stream in self.attempt.streams)
        now = time.monotonic()
        held = not self.delivered and now < self._hold_until()
        return not held and (sent or now >= self._end_signal_until())

    def _hold_until(self) -> float:
        wait = self.options.drain
        if not self.following:
            wait = min(wait, self.options.unfollowed)
        return min(self.hold_from + wait, self.attempt.deadline_at, self._end_signal_until())

    def _end_signal_until(self) -> float:
        grace = self.options.grace
        return (
            _NEVER
            if self.end_signal_at == -_NEVER
            else self.end_signal_at + grace - min(1.0, grace / 10)
        )

    def _read_signals(self) -> None:
        for received in linux.read_signals(self.attempt.signals):
            if from_outside(received):
                self._handle_signal(received)
            if received.number == signal.SIGCHLD:
                self._reap()

    def _handle_signal(self, received: linux.Received) -> None:
        """Forward a signal, and note it: it may be Kubernetes' signal to end the container.

        Kubernetes sends SIGKILL when the grace period after that signal is over. If no SIGKILL
        came, the signal did not announce the end.
        """
        grace = self.options.grace
        now = time.monotonic()
        if (
            received.number not in {signal.SIGCHLD, signal.SIGCONT}
            and now - self.end_signal_at > grace
        ):
            self.end_signal_at = now
        if self.ended:
            return
        forward_signal(self.trainer, received)
        if received.number == signal.SIGTERM:
            # In time for the exit record, but not before half of the grace period.
            wait = max(grace / 2, grace - max(5.0, grace / 5))
            self.kill_at = min(self.kill_at, now + wait)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self.children_left = False
                return
            if not pid:
                return
            if pid == self.trainer and not self.ended:
                self._trainer_ended(status)

    def _trainer_ended(self, status: int) -> None:
        self.ended = True
        self.status = status
        self.ended_at = time.time()
        if time.monotonic() - self.end_signal_at > self.options.grace:
            self.end_signal_at = -_NEVER
        if self.stopped:
            signal_others(signal.SIGTERM)  # they have the rest of the grace period

    def _read_control(self) -> None:
        try:
            self.unfinished_line += os.read(self.attempt.control, _LONGEST_LINE)
        except BlockingIOError:
            return
        *lines, self.unfinished_line = self.unfinished_line.split(b"\n")
        for line in lines:
            self._handle_line(line.decode(errors="replace"))
        if len(self.unfinished_line) >= _LONGEST_LINE:
            self.unfinished_line = b""

    def _handle_line(self, line: str) -> None:
        if line == CONTROL_FOLLOWING:
            self.following = True
            self.delivered = False
        elif line == CONTROL_STOP and not self.ended and not self.stopped:
            self.stopped = True
            self.stop_until = time.monotonic() + self.options.grace
            self.kill_at = min(self.kill_at, self.stop_until)
            os.kill(self.trainer, signal.SIGTERM)
        elif line == CONTROL_DELIVERED:
            self.delivered |= self.recorded  # before the record exists, more bytes will follow
        elif line.startswith(CONTROL_GAVE_UP):
            self.delivered = True

    def _finish(self) -> None:
        """End the other processes, complete the segments, write the record, in this order."""
        leftovers = kill_others()
        for stream in self.attempt.streams:
            stream.end()
        cause = next((s.segments.incomplete for s in self.attempt.streams), None)
        signalled = os.WIFSIGNALED(self.status)
        try:
            self.attempt.write_exit(
                ExitRecord(
                    attempt=self.attempt.number,
                    status=None if signalled else os.WEXITSTATUS(self.status),
                    signal=os.WTERMSIG(self.status) if signalled else None,
                    ended=self.ended_at,
                    leftovers=leftovers,
                    complete=cause is None,
                    cause=cause,
                    stopped=self.stopped,
                )
            )
        except OSError:
            self.delivered = True  # the collector cannot learn of the end: do not wait
        self.recorded = True
        self.hold_from = time.monotonic()


def _is_ready(target: int | None) -> bool:
    if target is None:
        return False
    poll = select.poll()
    poll.register(target, select.POLLOUT)
    return any(seen & select.POLLOUT for _, seen in poll.poll(0))
