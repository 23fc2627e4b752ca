"""A collector's life: attempt by attempt, in steps between which it may die."""

from __future__ import annotations

import random

from api.errors import SetupError
from api.names import OUTCOME_FAILED
from collector.core.batches import Known, learn
from collector.core.checkpoint import Attempt
from collector.core.collecting import IDLE_SECONDS, Collecting
from collector.core.delivery_retry import Courier
from collector.core.journal import Journal
from collector.core.plan import Pause, Plan
from collector.core.ports import Ports
from collector.core.reading import AttemptReader
from collector.core.sources import first_places, next_after, streams_of
from collector.core.summary import summary_of
from filters.near_misses import NearMisses, describe_near_misses

TRAINER_FAILED = 2
"""The exit status of an ordinary container beside a trainer that failed."""
_LOOKED_AHEAD = 64 << 20
"""Bytes that are searched for a summary of what is not delivered."""
_LOOKED_NEAR = 256 << 10
"""Bytes of an attempt that are looked at for lines that came near. The search for the metrics
themselves is many times as fast, and most trainers print the first of them early."""


class Session:
    """Collects what the plan says, from where the last collector has left off.

    Not for several threads. After `step` has raised, only `summary` and `close` may be called.
    """

    def __init__(self, plan: Plan, ports: Ports, dice: random.Random) -> None:
        """Read the checkpoint.

        Raises:
            SetupError: it is damaged, or cannot be read.
        """
        self._plan = plan
        self._ports = ports
        self._dice = dice
        self._courier = Courier(ports.sink, ports.clock, ports.reporter, dice)
        self._journal = Journal(plan.checkpoint, ports.files)
        self._attempt = self._journal.load()
        self._near_misses = self._none_near()
        self._collecting: Collecting | None = None
        if self._attempt is not None and self._attempt.finished:
            for stream in streams_of(plan, ports, self._attempt.number):
                stream.release(0, all_of_it=True)

    def step(self) -> Pause:
        """Do the next part of the work; say when to go on.

        Raises:
            TrialwatchError: what no later step will mend.
        """
        collecting = self._collecting or self._begun()
        if collecting is None:
            return self._idle()
        self._collecting = collecting
        pause = collecting.step()
        self._attempt = collecting.attempt
        if self._attempt.finished:
            collecting.close()
            self._collecting = None
        return pause

    def told_to_end(self) -> None:
        """Hurry: go as soon as all is delivered."""
        self._courier.hurried = True

    def summary(self, why: str = "") -> bytes:
        """Write what was collected, and why it is not delivered, as the termination message."""
        attempt = self._attempt
        if attempt is None:
            return summary_of({"delivered": False, "why": why or "no training has begun"}, {}, ())
        known = self._known_ahead(attempt)
        facts = {
            "attempt": attempt.number,
            "source": attempt.source,
            "outcome": attempt.outcome,
            "delivered": attempt.finished and attempt.refused is None and not why,
            "why": why or attempt.refused or self._courier.waiting_for,
            "gaps": [str(gap) for gap in attempt.gaps[:3]],
            "more_gaps": max(0, len(attempt.gaps) - 3) + attempt.more_gaps,
        }
        objective = self._plan.objective
        near = () if objective in known.folds else self._near_misses.of(objective)
        return summary_of(
            facts, known.folds, self._plan.extraction.metrics, describe_near_misses(near)
        )

    def close(self) -> None:
        """Let go of the files."""
        if self._collecting is not None:
            self._collecting.close()

    def _begun(self) -> Collecting | None:
        """Take up the attempt at hand, or the next one; None where there is none."""
        attempt = self._attempt
        if attempt is None or attempt.finished:
            number = next_after(attempt.number if attempt else 0, self._ports.runs.started())
            if number is None:
                return None
            attempt = Attempt(
                number=number,
                source=f"{self._dice.getrandbits(64):016x}-{number}",
                places=first_places(self._plan, self._ports, number, attempt),
            )
            self._journal.save(attempt)
            self._attempt = attempt
        self._check_source(attempt)
        self._near_misses = self._none_near()
        return Collecting(self._plan, self._ports, self._courier, attempt, self._near_misses)

    def _none_near(self) -> NearMisses:
        """Begin to look for lines that come near; what was seen before a crash is not kept."""
        extraction = self._plan.extraction
        return NearMisses((self._plan.objective,), extraction.how, _LOOKED_NEAR)

    def _check_source(self, attempt: Attempt) -> None:
        names = [stream.name for stream in streams_of(self._plan, self._ports, attempt.number)]
        if set(names) != set(attempt.places):
            raise SetupError(
                f"the checkpoint is of {', '.join(map(repr, attempt.places))}, "
                f"not of {', '.join(map(repr, names))}: "
                "give each collector a run directory of its own"
            )

    def _idle(self) -> Pause:
        """Nothing to collect: wait for an attempt, or go.

        As an ordinary container we fail where the trainer failed, so that the kubelet starts us
        again where it starts the trainer again. Our supervisor takes that status as final.
        """
        if self._courier.hurried:
            return Pause(done=0)
        if self._attempt is not None and not self._plan.native:
            return Pause(done=TRAINER_FAILED if self._attempt.outcome == OUTCOME_FAILED else 0)
        return Pause(most=IDLE_SECONDS)

    def _known_ahead(self, attempt: Attempt) -> Known:
        """Return what would be known if all that was written so far had been delivered."""
        if attempt.finished:
            return attempt.known
        reader = AttemptReader(
            self._plan.extraction,
            streams_of(self._plan, self._ports, attempt.number),
            self._near_misses,
        )
        places, known, read = dict(attempt.places), attempt.known, 0
        while read < _LOOKED_AHEAD:
            step = reader.step(places, over=True, later=None)
            if step is None:
                break
            read += max(1, step.end.offset - step.start.offset)
            places[step.stream] = step.end
            known = learn(known, step.found, known.last_stamp, None)
        reader.close()
        return known
