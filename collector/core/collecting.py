"""One attempt of the trainer, in steps between which the collector may die.

What a step does; each part comes only when the one before has nothing left to do:

| part    | what                                                                     |
|---------|--------------------------------------------------------------------------|
| deliver | send the batch in flight; its bytes and number are in the checkpoint     |
| read    | find the next points; where there are any, put a batch in flight         |
| report  | the attempt has ended and is read: its last report, with the outcome     |
| settle  | after an early stop: tell the early-stopping service                     |
| finish  | tell the launcher that it may go                                         |
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from api.errors import RemoteError, Unavailable
from api.names import OUTCOME_STOPPED
from collector.core.batches import (
    Batch,
    Known,
    digest_of_points,
    extract_again,
    last_points,
    learn,
    stamped,
)
from collector.core.checkpoint import MOST_GAPS, Attempt, InFlight
from collector.core.delivery_retry import Courier, Sent
from collector.core.echoing import Mirror
from collector.core.journal import Journal
from collector.core.plan import AT_ONCE, Pause, Plan
from collector.core.ports import End, Ports
from collector.core.reading import AttemptReader, Step
from collector.core.sources import next_after, streams_of
from collector.streams.stream_position import Gap
from filters.near_misses import NearMisses
from filters.points import ExtractedPoint

BATCH_SECONDS = 0.25
"""A batch closes so long after the one before it, if not by its number of points."""
IDLE_SECONDS = 2.0
"""How often we look without being told to: whether the launcher is dead, say."""
SETTLE_SECONDS = 30.0
"""How long the early-stopping service is asked to answer."""
_UNSAVED = 8 << 20
"""Bytes without a point that may be read again after a crash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """A batch in flight, and what is known once it is stored."""

    batch: Batch
    known: Known


class Collecting:
    """Takes an attempt from where it stands to its end."""

    def __init__(
        self,
        plan: Plan,
        ports: Ports,
        courier: Courier,
        attempt: Attempt,
        near_misses: NearMisses | None = None,
    ) -> None:
        """Go on with an attempt; show `near_misses` what is read."""
        self.attempt = attempt
        self.end: End | None = None
        self._plan = plan
        self._ports = ports
        self._courier = courier
        self._journal = Journal(plan.checkpoint, ports.files)
        self._mirror = Mirror(ports.echo)
        streams = streams_of(plan, ports, attempt.number)
        self._reader = AttemptReader(plan.extraction, streams, near_misses)
        self._prepared: _Prepared | None = None
        self._unsaved = 0
        self._read_at = float("-inf")
        self._told_to_stop = False
        self._settling_since: float | None = None
        ports.reporter.tell(f"following attempt {attempt.number}")
        ports.runs.following(attempt.number)

    def step(self) -> Pause:
        """Do the next part; say when to go on.

        Raises:
            SetupError: a file cannot be read, or the checkpoint not be written.
        """
        runs, number = self._ports.runs, self.attempt.number
        later = next_after(number, runs.started())
        if self.end is None:
            self.end = runs.ended(number)
            if self.end is not None and self.end.cause is not None:
                self._ports.reporter.tell(f"attempt {number}: {self.end.cause}")
        self._show()
        self._stop_if_due(self.attempt.known)
        if self.attempt.in_flight is not None:
            return self._deliver(self.attempt.in_flight)
        pause = self._read(later)
        if pause is not None:
            return pause
        if self.end is None:
            return Pause(most=IDLE_SECONDS)
        if all(place.finished for place in self.attempt.places.values()):
            return self._close(self.end)
        return AT_ONCE

    def close(self) -> None:
        """Let go of the files."""
        self._reader.close()

    def _deliver(self, flight: InFlight) -> Pause:
        """Send the batch in flight, made again of its bytes if need be."""
        prepared = self._prepared or self._made_again(flight)
        if prepared is None:
            self._lose(flight)
            return AT_ONCE
        self._prepared = prepared
        self._stop_if_due(prepared.known)
        sent = self._courier.send(prepared.batch)
        if sent is Sent.NOT_YET:
            wait = self._courier.wait()
            return Pause(least=min(wait, BATCH_SECONDS), most=wait)
        if sent is Sent.REFUSED:
            self._refused(flight)
        self._landed(flight, prepared.known)
        return AT_ONCE

    def _landed(self, flight: InFlight, known: Known) -> None:
        """The batch is stored: go on behind it."""
        places = dict(self.attempt.places)
        if flight.stream:
            places[flight.stream] = flight.end
        self._prepared = None
        reported = self.attempt.reported or not flight.stream
        self._save(
            replace(self.attempt, in_flight=None, places=places, known=known, reported=reported)
        )

    def _lose(self, flight: InFlight) -> None:
        """The bytes of a batch are gone that may have been stored or not."""
        gap = Gap(
            stream=flight.stream,
            generation=flight.start.generation.serial,
            start=flight.start.offset,
            end=flight.end.offset,
            why=f"destroyed while report {flight.sequence} of it was on its way",
        )
        self._note(gap)
        self._landed(flight, self.attempt.known)

    def _refused(self, flight: InFlight) -> None:
        why = f"the store refused report {flight.sequence}: {self._courier.refusal}"
        self._ports.reporter.tell(why)
        self.attempt = replace(self.attempt, refused=why)

    def _made_again(self, flight: InFlight) -> _Prepared | None:
        """Make a batch of the bytes it was made of; None where they are not there any more."""
        known = self.attempt.known
        if not flight.stream:
            return self._last(flight)
        pieces = self._reader.streams[flight.stream].again(flight.start, flight.end)
        found = extract_again(self._plan.extraction, flight.start.position, pieces)
        prepared = self._batch(flight, found, known)
        return prepared if digest_of_points(prepared.batch.points) == flight.digest else None

    def _batch(
        self, flight: InFlight, found: tuple[ExtractedPoint, ...], known: Known
    ) -> _Prepared:
        points, last = stamped(found, flight.reading_time, known.last_stamp)
        batch = Batch(source=self.attempt.source, sequence=flight.sequence, points=points)
        return _Prepared(batch=batch, known=learn(known, found, last, self._plan.rules))

    def _last(self, flight: InFlight) -> _Prepared:
        batch = Batch(
            source=self.attempt.source,
            sequence=flight.sequence,
            points=last_points(self.attempt.known, self._plan.objective),
            outcome=flight.outcome,
        )
        return _Prepared(batch=batch, known=self.attempt.known)

    def _read(self, later: int | None) -> Pause | None:
        """Look for the next points; None where there is nothing to read."""
        left = self._read_at + BATCH_SECONDS - self._ports.clock.monotonic()
        if left > 0 and self.end is None:
            return Pause(least=left, most=left)
        runs = self._ports.runs
        border = None if later is None else runs.record(later)
        over = self.end is not None
        step = self._reader.step(self.attempt.places, over=over, later=border)
        if step is None:
            self._save_if_due(0)
            return None
        if next_after(self.attempt.number, runs.started()) != later:
            return AT_ONCE  # what was read may be the next attempt's: look again, with its border
        return self._take(step)

    def _take(self, step: Step) -> Pause:
        """Go on to where a look at a stream has led."""
        if step.gap is not None:
            self._note(step.gap)
        places = {**self.attempt.places, step.stream: step.start}
        self.attempt = replace(self.attempt, places=places)
        if step.found:
            self._put_in_flight(step)
        else:
            places[step.stream] = step.end
            self.attempt = replace(self.attempt, places=places)
            self._save_if_due(step.end.offset - step.start.offset)
        if step.more or self.end is not None:
            return AT_ONCE
        self._read_at = self._ports.clock.monotonic()
        return AT_ONCE if step.found else Pause(least=BATCH_SECONDS, most=IDLE_SECONDS)

    def _put_in_flight(self, step: Step) -> None:
        """Write down a batch before it is sent."""
        flight = InFlight(
            sequence=self.attempt.sequence + 1,
            reading_time=self._ports.clock.micros(),
            stream=step.stream,
            start=step.start,
            end=step.end,
        )
        prepared = self._batch(flight, step.found, self.attempt.known)
        flight = replace(flight, digest=digest_of_points(prepared.batch.points))
        self._save(replace(self.attempt, sequence=flight.sequence, in_flight=flight))
        self._prepared = prepared

    def _close(self, end: End) -> Pause:
        """Everything is read: report, settle, finish."""
        if not self.attempt.reported:
            return self._report(end)
        if end.outcome == OUTCOME_STOPPED and not self.attempt.settled:
            return self._settle()
        self._ports.runs.delivered(self.attempt.number, self.attempt.refused)
        self._show()
        self._save(replace(self.attempt, finished=True, outcome=end.outcome))
        self._ports.reporter.tell(self._account(end))
        for stream in self._reader.streams.values():
            stream.release(0, all_of_it=True)
        return AT_ONCE

    def _account(self, end: End) -> str:
        """Say what an attempt came to."""
        folds = self.attempt.known.folds
        seen = ", ".join(f"{folds[name].count} of {name}" for name in sorted(folds))
        missing = sorted(set(self._plan.extraction.metrics) - set(folds))
        unseen = f"; never seen: {', '.join(missing)}" if missing else ""
        ended = end.outcome or "ended"
        return f"attempt {self.attempt.number} {ended}; stored: {seen or 'nothing'}{unseen}"

    def _report(self, end: End) -> Pause:
        """Put the last report in flight, where there is anything to report."""
        if end.outcome is None and not last_points(self.attempt.known, self._plan.objective):
            self._save(replace(self.attempt, reported=True))
            return AT_ONCE
        flight = InFlight(
            sequence=self.attempt.sequence + 1,
            reading_time=self._ports.clock.micros(),
            outcome=end.outcome,
        )
        self._save(replace(self.attempt, sequence=flight.sequence, in_flight=flight))
        return AT_ONCE

    def _settle(self) -> Pause:
        """Tell the early-stopping service, for a while."""
        service, now = self._ports.early_stopping, self._ports.clock.monotonic()
        since = self._settling_since = self._settling_since or now
        try:
            if service is not None:
                service.stopped()
        except Unavailable as error:
            if now - since < SETTLE_SECONDS:
                return Pause(least=BATCH_SECONDS, most=BATCH_SECONDS)
            self._ports.reporter.tell(f"the early-stopping service was not told: {error}")
        except RemoteError as error:
            self._ports.reporter.tell(f"the early-stopping service refused: {error}")
        self._save(replace(self.attempt, settled=True))
        return AT_ONCE

    def _stop_if_due(self, known: Known) -> None:
        rules = self._plan.rules
        if rules is None or self._told_to_stop or self.end is not None:
            return
        if rules.stop(known.stop):
            self._told_to_stop = True
            self._ports.reporter.tell("all stop rules are met: the trainer is told to stop")
            self._ports.runs.stop(self.attempt.number)

    def _show(self) -> None:
        for name, stream in self._reader.streams.items():
            self._mirror.show(stream, self.attempt.places[name], over=self.end is not None)

    def _note(self, gap: Gap) -> None:
        """Remember what is missing, and say so."""
        self._ports.reporter.tell(f"metrics may be missing: {gap}")
        gaps, more = self.attempt.gaps, self.attempt.more_gaps
        if len(gaps) < MOST_GAPS:
            self.attempt = replace(self.attempt, gaps=(*gaps, gap))
        else:
            self.attempt = replace(self.attempt, more_gaps=more + 1)

    def _save_if_due(self, read: int) -> None:
        """Keep places that have moved without a point: often enough, and whenever it is quiet."""
        self._unsaved += read
        if self._unsaved and (not read or self._unsaved >= _UNSAVED):
            self._save(self.attempt)

    def _save(self, attempt: Attempt) -> None:
        """Keep the attempt as it stands now; what is behind it may then be removed."""
        self._journal.save(attempt)
        self.attempt = attempt
        self._unsaved = 0
        for name, stream in self._reader.streams.items():
            stream.release(self._mirror.offset(stream, attempt.places[name]))
