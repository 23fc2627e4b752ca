"""A collector's work: one attempt after the other, in steps between which it may be killed."""

from __future__ import annotations

import random

from api.errors import SetupError, Unavailable
from api.names import (
    ONE_POD_SOURCE_MARK,
    OUTCOME_FAILED,
    OUTCOME_STOPPED,
    OUTCOME_SUCCEEDED,
)
from collector.core.attempt_collector import IDLE_SECONDS, AttemptCollector
from collector.core.attempt_reader import AttemptReader
from collector.core.attempt_streams import (
    new_streams_of,
    next_attempt,
    start_positions,
    streams_of,
)
from collector.core.batches import CarryOver, carry_on
from collector.core.checkpoint import Attempt
from collector.core.checkpoint_file import CheckpointFile
from collector.core.delivery_retry import RetryingSender
from collector.core.plan import CollectorPlan, Pause
from collector.core.ports import Ports
from collector.core.summary import summary_of
from collector.streams.held_files import HeldFiles
from collector.streams.segments import JOURNAL
from collector.streams.stream import Stream
from filters.near_misses import NearMisses, describe_near_misses

TRAINER_FAILED = 2
"""The exit status of an ordinary sidecar whose trainer failed."""
UNDELIVERED = 2
"""The exit status after a grace period that was too short; a supervisor takes it as final."""
_ENDED_WELL = (OUTCOME_SUCCEEDED, OUTCOME_STOPPED)
_TOO_SHORT = "the grace period was over before all was delivered"
_LOOKED_AHEAD = 64 << 20
"""Bytes that are searched for the summary of what is not delivered."""
_LOOKED_NEAR = 256 << 10
"""Bytes of an attempt in which to look for near misses. That search is many times slower than the
search for metrics, and most trainers print their first metrics early."""


class Session:
    """Collects what the plan says; continues where the last collector ended.

    For one thread only. After `step` has raised, only `summary` and `close` may be called.
    """

    def __init__(self, plan: CollectorPlan, ports: Ports, dice: random.Random) -> None:
        """Read the checkpoint; `dice` spreads retries over time, and makes ids.

        Raises:
            SetupError: the checkpoint is damaged, or cannot be read.
        """
        self._plan = plan
        self._ports = ports
        self._dice = dice
        self._sender = RetryingSender(ports.store, ports.clock, ports.log, dice)
        self._checkpoint = CheckpointFile(plan.checkpoint, ports.files)
        self._attempt = self._checkpoint.load()
        self._held = HeldFiles(plan.path, ports.files, ports.log.write)
        self._near_misses = self._new_near_misses()
        self._collecting: AttemptCollector | None = None
        self._until: float | None = None
        self._too_late = False
        self._proxy = ports.proxy
        self._proxy_refused = False
        if self._attempt is not None and self._attempt.finished:
            if ports.journal is not None:
                ports.journal.seal(self._attempt.number)
            for stream in self._streams(self._attempt):
                stream.release(0, all_of_it=True)

    def step(self) -> Pause:
        """Do the next part of the work; return when to continue.

        Raises:
            TrialwatchError: a fault that no later step will mend.
        """
        if self._until is None:
            return self._step()
        left = self._until - self._ports.clock.monotonic()
        if left > 0:
            return self._step().within(left)
        self._ports.log.write(f"{_TOO_SHORT}: ending")
        self._too_late = True
        return Pause(done=UNDELIVERED)

    def _step(self) -> Pause:
        collecting = self._collecting or self._current_or_next()
        if collecting is None:
            return self._idle()
        self._collecting = collecting
        pause = collecting.step()
        self._attempt = collecting.attempt
        if self._attempt.finished:
            collecting.close()
            self._collecting = None
        return pause

    @property
    def following(self) -> bool:
        """Whether an attempt of the trainer is followed at the moment."""
        return self._collecting is not None

    def hurry(self, until: float) -> None:
        """Wait less between tries; end once all is delivered, or at this time of the clock."""
        self._sender.hurried = True
        self._until = until

    def summary(self, why: str = "") -> bytes:
        """Return the termination message: what was collected, and why it is not delivered."""
        attempt = self._attempt
        if attempt is None:
            return summary_of({"delivered": False, "why": why or "no training has begun"}, {}, ())
        known = self._known_with_unread(attempt)
        late = _TOO_SHORT if self._too_late else ""
        facts = {
            "attempt": attempt.number,
            "source": attempt.source,
            "outcome": attempt.outcome,
            "delivered": attempt.finished and attempt.refused is None and not why,
            "why": why or attempt.refused or self._sender.waiting_for or late,
            "gaps": [str(gap) for gap in attempt.gaps[:3]],
            "more_gaps": max(0, len(attempt.gaps) - 3) + attempt.more_gaps,
        }
        objective = self._plan.objective
        if self._was_never_created(attempt):
            facts["missing_file"] = self._plan.path or f"{self._plan.events}/*tfevents*"
        near = () if objective in known.folds else self._near_misses.of(objective)
        return summary_of(
            facts, known.folds, self._plan.extraction.metrics, describe_near_misses(near)
        )

    def _was_never_created(self, attempt: Attempt) -> bool:
        """Return whether the metrics file has never existed, as far as this collector knows.

        Where points may come by calls, a training needs no file.
        """
        path = self._plan.path
        if self._plan.journal:
            return False
        if self._plan.events:
            return not attempt.places
        if not path or path not in attempt.places:
            return False
        place = attempt.places[path]
        return (
            place.generation.inode is None
            and not place.offset
            and self._ports.files.stat(path) is None
        )

    def close(self) -> None:
        """Close the files."""
        if self._collecting is not None:
            self._collecting.close()
        self._held.close()

    def _current_or_next(self) -> AttemptCollector | None:
        """Return the collector of the current attempt, or of the next one; None without any."""
        attempt = self._attempt
        if attempt is None or attempt.finished:
            number = next_attempt(attempt.number if attempt else 0, self._ports.trainer.started())
            if number is None:
                return None
            attempt = Attempt(
                number=number,
                source=self._new_source(number),
                places=start_positions(self._plan, self._ports, number, attempt),
            )
            self._checkpoint.save(attempt)
            self._attempt = attempt
        self._check_source(attempt)
        self._near_misses = self._new_near_misses()
        reader = self._reader(attempt)
        return AttemptCollector(self._plan, self._ports, self._sender, attempt, reader)

    def _new_source(self, number: int) -> str:
        """Return a source's name that no other attempt has."""
        mark = self._plan.reduce.mark if self._plan.reduce else ""
        if self._plan.one_pod:  # of several, the store shows the one that began first
            mark = f"{ONE_POD_SOURCE_MARK}{self._ports.clock.micros():014x}-"
        return f"{self._plan.source_prefix}{mark}{self._dice.getrandbits(64):016x}-{number}"

    def _streams(self, attempt: Attempt) -> tuple[Stream, ...]:
        return streams_of(self._plan, self._ports, attempt, self._held)

    def _reader(self, attempt: Attempt) -> AttemptReader:
        return AttemptReader(
            self._plan.extraction_of,
            self._streams(attempt),
            self._near_misses,
            new_streams_of(self._plan, self._ports, attempt.number),
        )

    def _new_near_misses(self) -> NearMisses:
        """Return an empty collection of near misses; those from before a crash are not kept."""
        extraction = self._plan.extraction
        return NearMisses((self._plan.objective,), extraction.how, _LOOKED_NEAR)

    def _check_source(self, attempt: Attempt) -> None:
        names = [stream.name for stream in self._streams(attempt)]
        below = f"{self._plan.events.rstrip('/')}/" if self._plan.events else ""
        strange = [path for path in attempt.places if not path.startswith((below, JOURNAL))]
        if set(names) != set(attempt.places) or strange:
            names = [self._plan.events] if strange else names
            raise SetupError(
                f"the checkpoint is for {', '.join(map(repr, attempt.places))}, "
                f"not for {', '.join(map(repr, names))}: "
                "give each collector a run directory of its own"
            )

    def _idle(self) -> Pause:
        """Wait for an attempt, or end: there is nothing to collect.

        An ordinary sidecar fails if the trainer failed. So the kubelet restarts it whenever it
        restarts the trainer. The sidecar's own supervisor does not restart it after this status.
        """
        self._held.close()
        self._end_proxy()
        if self._sender.hurried:
            return Pause(done=0)
        if self._attempt is not None and not self._plan.native:
            return Pause(done=TRAINER_FAILED if self._attempt.outcome == OUTCOME_FAILED else 0)
        return Pause(most=IDLE_SECONDS)

    def _end_proxy(self) -> None:
        """End the pod's network proxy once no attempt will follow: the training has ended well."""
        over = self._attempt is not None and self._attempt.outcome in _ENDED_WELL
        if self._proxy is None or not over:
            return
        try:
            self._proxy.quit()
        except Unavailable as error:
            if not self._proxy_refused:
                self._ports.log.write(f"{error}; asking again every {IDLE_SECONDS:g} s")
            self._proxy_refused = True
        else:
            self._proxy = None

    def _known_with_unread(self, attempt: Attempt) -> CarryOver:
        """Return what `known` would be if all bytes written so far had been delivered."""
        if attempt.finished:
            return attempt.known
        reader = self._reader(attempt)
        reader.look_for_streams(attempt.places, over=True, later=None)
        positions, known, read = dict(attempt.places), attempt.known, 0
        while read < _LOOKED_AHEAD:
            step = reader.step(positions, over=True, later=None)
            if step is None:
                break
            read += max(1, step.end.offset - step.start.offset)
            positions[step.stream] = step.end
            known = carry_on(known, step.points, known.last_stamp, None)
        reader.close()
        return known
