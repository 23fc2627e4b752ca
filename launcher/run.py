"""`run`: starts the trainer, passes on its signals and its output, and holds the exit."""

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
    forward,
    from_outside,
    kill_others,
    signal_others,
    start,
    take_over,
)

_WHO = "launcher run"
_NEVER = math.inf
_LONGEST_POLL = 3600.0
_LONGEST_WORDS = 2048


def run(options: RunOptions) -> int:
    """Run the trainer; returns the exit status, or becomes the trainer where we cannot set up."""
    inherited = take_over()
    try:
        attempt = set_up(options, inherited)
        linux.adopt_orphans(adopt=True)
        trainer = _start(options, attempt, inherited)
    except (SetupFailed, OSError) as fault:
        linux.adopt_orphans(adopt=False)
        if STDERR not in inherited.closed:
            sys.stderr.write(
                f"{_WHO}: {fault} (--run-dir {os.fsdecode(options.run_dir)}); the trainer runs "
                "without us, its metrics will be missing\n"
            )
            sys.stderr.flush()
        become(_WHO, options.command, inherited)
    return _Life(options, attempt, trainer).watch()


def _start(options: RunOptions, attempt: Attempt, inherited: Inherited) -> int:
    trainer = start(_WHO, options.command, inherited, session=True, streams=attempt.pipes)
    for theirs in set(attempt.pipes.values()):
        os.close(theirs)
    # What the trainer closes must be closed: we keep no copy but of what we pass on.
    passed_on = {stream.target for stream in attempt.streams}
    for descriptor in {0, 1, 2} - passed_on:
        os.dup2(attempt.null, descriptor)
    return trainer


@dataclass(slots=True)
class _Life:
    """The life of one attempt. Times are by the monotonic clock."""

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
    anybody: bool = True
    told: float = -_NEVER
    kill_at: float = _NEVER
    stop_until: float = _NEVER
    hold_from: float = 0.0
    words: bytes = field(default=b"")

    def watch(self) -> int:
        """Poll until all is over; returns the exit status."""
        while True:
            until = self._keep_time()
            if self._is_over():
                return 0 if self.stopped else exit_code(self.status)
            seen = self._poll(until)
            if self.attempt.signals in seen:
                self._read_signals()
            if self.attempt.control in seen:
                self._listen()
            for stream in self.attempt.streams:
                if stream.source is not None and seen.get(stream.source):
                    stream.take()
                    stream.send_onward(select.POLLOUT if _is_ready(stream.target) else 0)
                elif stream.target is not None and seen.get(stream.target):
                    stream.send_onward(seen[stream.target])

    def _poll(self, until: float) -> dict[int, int]:
        poll = select.poll()
        poll.register(self.attempt.signals, select.POLLIN)
        poll.register(self.attempt.control, select.POLLIN)
        for stream in self.attempt.streams:  # nothing is taken while something is held
            if stream.source is not None and not stream.held:
                poll.register(stream.source, select.POLLIN)
            if stream.target is not None:
                poll.register(stream.target, select.POLLOUT if stream.held else 0)
        wait = min(max(0.0, until - time.monotonic()), _LONGEST_POLL)
        return dict(poll.poll(math.ceil(wait * 1000)))

    def _keep_time(self) -> float:
        """Do what is due; return when something is due next."""
        now = time.monotonic()
        if not self.ended and now >= self.kill_at:
            os.kill(self.trainer, signal.SIGKILL)
            self.kill_at = _NEVER
        if not self.ended:
            return self.kill_at
        if not self.recorded:
            if self.stopped and self.anybody and now < self.stop_until:
                return self.stop_until
            self._finish()
        return self._told_until() if self.delivered else self._hold_until()

    def _is_over(self) -> bool:
        for stream in self.attempt.streams:
            stream.release(self.attempt.null)
        if not self.recorded:
            return False
        sent = all(stream.target is None for stream in self.attempt.streams)
        now = time.monotonic()
        held = not self.delivered and now < self._hold_until()
        return not held and (sent or now >= self._told_until())

    def _hold_until(self) -> float:
        wait = self.options.drain
        if not self.following:
            wait = min(wait, self.options.unfollowed)
        return min(self.hold_from + wait, self.attempt.deadline_at, self._told_until())

    def _told_until(self) -> float:
        grace = self.options.grace
        return _NEVER if self.told == -_NEVER else self.told + grace - min(1.0, grace / 10)

    def _read_signals(self) -> None:
        for got in linux.read_signals(self.attempt.signals):
            if from_outside(got):
                self._obey_signal(got)
            if got.number == signal.SIGCHLD:
                self._reap()

    def _obey_signal(self, got: linux.Received) -> None:
        """Pass it on, and note it: it may be the one with which Kubernetes stops a container.

        After that one comes SIGKILL, when the grace is over; what we have outlived by the grace
        was somebody else's.
        """
        grace = self.options.grace
        now = time.monotonic()
        if got.number not in {signal.SIGCHLD, signal.SIGCONT} and now - self.told > grace:
            self.told = now
        if self.ended:
            return
        forward(self.trainer, got)
        if got.number == signal.SIGTERM:
            # In time for the exit record, but never before half of the grace.
            wait = max(grace / 2, grace - max(5.0, grace / 5))
            self.kill_at = min(self.kill_at, now + wait)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self.anybody = False
                return
            if not pid:
                return
            if pid == self.trainer and not self.ended:
                self._trainer_ended(status)

    def _trainer_ended(self, status: int) -> None:
        self.ended = True
        self.status = status
        self.ended_at = time.time()
        if time.monotonic() - self.told > self.options.grace:
            self.told = -_NEVER
        if self.stopped:
            signal_others(signal.SIGTERM)  # they have the rest of the grace

    def _listen(self) -> None:
        try:
            self.words += os.read(self.attempt.control, _LONGEST_WORDS)
        except BlockingIOError:
            return
        *lines, self.words = self.words.split(b"\n")
        for line in lines:
            self._obey(line.decode(errors="replace"))
        if len(self.words) >= _LONGEST_WORDS:
            self.words = b""

    def _obey(self, line: str) -> None:
        if line == CONTROL_FOLLOWING:
            self.following = True
            self.delivered = False
        elif line == CONTROL_STOP and not self.ended and not self.stopped:
            self.stopped = True
            self.stop_until = time.monotonic() + self.options.grace
            self.kill_at = min(self.kill_at, self.stop_until)
            os.kill(self.trainer, signal.SIGTERM)
        elif line == CONTROL_DELIVERED:
            self.delivered |= self.recorded  # before that it would be a mistake: more is to come
        elif line.startswith(CONTROL_GAVE_UP):
            self.delivered = True

    def _finish(self) -> None:
        """End the others, complete the segments, write the record: in this order."""
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
            self.delivered = True  # nobody will ever know: there is nothing to wait for
        self.recorded = True
        self.hold_from = time.monotonic()


def _is_ready(target: int | None) -> bool:
    if target is None:
        return False
    poll = select.poll()
    poll.register(target, select.POLLOUT)
    return any(seen & select.POLLOUT for _, seen in poll.poll(0))
