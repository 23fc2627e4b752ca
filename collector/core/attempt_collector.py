"""Collects one attempt of the trainer, in steps between which the collector may be killed.

A step does one of these parts. Each part runs only when the part before it has nothing left to do:

| part    | what it does                                                                    |
|---------|---------------------------------------------------------------------------------|
| deliver | sends the batch in flight, whose bytes and number are in the checkpoint         |
| read    | searches for the next points; if there are any, puts a batch in flight          |
| report  | after the end of the attempt: sends the last report, with the outcome           |
| settle  | after an early stop: reports it to the early-stopping service                   |
| finish  | tells the launcher that all is delivered                                        |
"""

from __future__ import annotations

from dataclasses import replace

from api.names import OUTCOME_FAILED, OUTCOME_STOPPED
from api.report_limits import LONGEST_VALUE
from api.run_directory import AttemptRecord
from collector.core.attempt_reader import AttemptReader, ReadStep
from collector.core.attempt_streams import next_attempt
from collector.core.batches import CarryOver, final_points, points_digest
from collector.core.checkpoint import MOST_GAPS, Attempt, InFlight
from collector.core.checkpoint_file import CheckpointFile
from collector.core.delivery_retry import Delivery, RetryingSender
from collector.core.early_stop import EarlyStop
from collector.core.echo_progress import EchoProgress
from collector.core.plan import AT_ONCE, CollectorPlan, Pause
from collector.core.ports import AttemptEnd, Ports
from collector.core.prepared_batch import PreparedBatch, prepare, prepare_again
from collector.core.report_parts import parts_of
from collector.streams.segments import JOURNAL
from collector.streams.stream_position import Gap, StreamPosition

BATCH_SECONDS = 0.25
"""Least time between two batches, unless a batch has `batches.BATCH_POINTS` points."""
IDLE_SECONDS = 2.0
"""Time between two looks without a wake-up, for example at a launcher that may be dead."""
_UNSAVED = 8 << 20
"""Bytes without a point that may be read again after a crash."""


class AttemptCollector:
    """Collects an attempt from its position in the checkpoint to its end."""

    def __init__(
        self,
        plan: CollectorPlan,
        ports: Ports,
        sender: RetryingSender,
        attempt: Attempt,
        reader: AttemptReader,
    ) -> None:
        """Continue an attempt; `reader` reads its streams."""
        self.attempt = attempt
        self.end: AttemptEnd | None = None
        self._plan = plan
        self._ports = ports
        self._sender = sender
        self._checkpoint = CheckpointFile(plan.checkpoint, ports.files)
        self._echo = EchoProgress(ports.echo)
        self._reader = reader
        self._early_stop = EarlyStop(plan, ports, attempt.number)
        self._prepared: PreparedBatch | None = None
        self._sent = 0
        """Parts of the batch in flight that are delivered; after a crash they are sent again."""
        self._unsaved = 0
        self._read_at = float("-inf")
        ports.log.note(f"following attempt {attempt.number}")
        ports.trainer.following(attempt.number)
        if ports.journal is not None:
            is_read = attempt.places[JOURNAL].finished
            (ports.journal.seal if is_read else ports.journal.open)(attempt.number)

    def step(self) -> Pause:
        """Do the next part of the work; return when to continue.

        Raises:
            SetupError: a file cannot be read, or the checkpoint cannot be written.
        """
        trainer, number = self._ports.trainer, self.attempt.number
        later = next_attempt(number, trainer.started())
        if self.end is None:
            self.end = trainer.ended(number)
            if self.end is not None:
                self._note_end(self.end)
        for gap in self._reader.look_for_streams(
            self.attempt.places, over=self.end is not None, later=self._record(later)
        ):
            if gap not in self.attempt.gaps:  # it may be known from before a crash
                self._note(gap)
        for name, stream in self._reader.streams.items():
            stream.hold(self._place(name))
        self._show()
        self._stop_if_due(self.attempt.known)
        if self.attempt.in_flight is not None:
            return self._deliver(self.attempt.in_flight)
        pause = self._read(later)
        if pause is not None:
            return pause
        if self.end is None:
            return Pause(most=IDLE_SECONDS)
        if all(position.finished for position in self.attempt.places.values()):
            return self._close(self.end)
        return AT_ONCE

    def _note_end(self, end: AttemptEnd) -> None:
        """Close the journal before its last bytes are read: later points have another attempt."""
        if end.cause is not None:
            self._ports.log.write(f"attempt {self.attempt.number}: {end.cause}")
        if self._ports.journal is not None:
            self._ports.journal.seal(self.attempt.number)

    def close(self) -> None:
        """Close the files."""
        self._reader.close()

    # Deliver

    def _deliver(self, flight: InFlight) -> Pause:
        """Send the batch in flight; after a crash make it again of its bytes."""
        prepared = self._prepared or prepare_again(
            self._plan, self.attempt, flight, self._reader.streams
        )
        if prepared is None:
            self._lose(flight)
            return AT_ONCE
        self._prepared = prepared
        self._stop_if_due(prepared.known)
        parts = parts_of(prepared.batch)
        for part in parts[self._sent :]:
            delivery = self._sender.send(part, over=self._is_over())
            if delivery is Delivery.NOT_YET:
                wait = self._sender.wait()
                return Pause(least=min(wait, BATCH_SECONDS), most=wait)
            if delivery is Delivery.REFUSED:
                self._note_refusal(part.sequence)
            self._sent += 1
        # A checkpoint of an earlier version counts such a batch as one report.
        last = max(self.attempt.sequence, parts[-1].sequence)
        self.attempt = replace(self.attempt, sequence=last)
        self._delivered(flight, prepared.known)
        return AT_ONCE

    def _is_over(self) -> bool:
        """Return whether this attempt and all later ones have ended."""
        if self.end is None:
            return False
        trainer = self._ports.trainer
        later = (number for number in trainer.started() if number > self.attempt.number)
        return all(trainer.ended(number) is not None for number in later)

    def _delivered(self, flight: InFlight, known: CarryOver) -> None:
        """Continue behind the batch."""
        places = dict(self.attempt.places)
        if flight.stream:
            places[flight.stream] = flight.end
        self._prepared, self._sent = None, 0
        reported = self.attempt.reported or not flight.stream
        self._save(
            replace(self.attempt, in_flight=None, places=places, known=known, reported=reported)
        )

    def _lose(self, flight: InFlight) -> None:
        """Give up a batch whose bytes are destroyed; it is unknown whether it was stored."""
        gap = Gap(
            stream=flight.stream,
            generation=flight.start.generation.serial,
            start=flight.start.offset,
            end=flight.end.offset,
            why=f"destroyed while report {flight.sequence} of it was on its way",
        )
        self._note(gap)
        self._delivered(flight, self.attempt.known)

    def _note_refusal(self, sequence: int) -> None:
        why = f"the store refused report {sequence}: {self._sender.refusal}"
        self._ports.log.write(why)
        self.attempt = replace(self.attempt, refused=why)

    # Read

    def _read(self, later: int | None) -> Pause | None:
        """Search for the next points; return None if there is nothing to read."""
        left = self._read_at + BATCH_SECONDS - self._ports.clock.monotonic()
        if left > 0 and self.end is None:
            return Pause(least=left, most=left)
        trainer = self._ports.trainer
        over = self.end is not None
        step = self._reader.step(self.attempt.places, over=over, later=self._record(later))
        if step is None:
            self._save_if_due(0)
            return None
        if next_attempt(self.attempt.number, trainer.started()) != later:
            return AT_ONCE  # these bytes may be the next attempt's: read again, with its record
        return self._take(step)

    def _take(self, step: ReadStep) -> Pause:
        """Continue at the end of what was read."""
        if step.gap is not None:
            self._note(step.gap)
        places = {**self.attempt.places, step.stream: step.start}
        self.attempt = replace(self.attempt, places=places)
        if step.points:
            self._put_in_flight(step)
        else:
            places[step.stream] = step.end
            self.attempt = replace(self.attempt, places=places)
            self._save_if_due(step.end.offset - step.start.offset)
        if step.more or self.end is not None:
            return AT_ONCE
        self._read_at = self._ports.clock.monotonic()
        return AT_ONCE if step.points else Pause(least=BATCH_SECONDS, most=IDLE_SECONDS)

    def _put_in_flight(self, step: ReadStep) -> None:
        """Save a batch in the checkpoint before it is sent."""
        flight = InFlight(
            sequence=self.attempt.sequence + 1,
            reading_time=self._ports.clock.micros(),
            stream=step.stream,
            start=step.start,
            end=step.end,
        )
        prepared = prepare(self._plan, self.attempt, flight, step.points)
        flight = replace(flight, digest=points_digest(prepared.batch.points))
        parts = parts_of(prepared.batch)
        left_out = len(prepared.batch.points) - sum(len(part.points) for part in parts)
        if left_out:
            self._ports.log.write(
                f"{left_out} values have more than {LONGEST_VALUE} characters, and are not sent"
            )
        last = parts[-1].sequence  # no later batch gets a number of these parts
        self._save(replace(self.attempt, sequence=last, in_flight=flight))
        self._prepared = prepared

    # Report, settle, finish

    def _close(self, end: AttemptEnd) -> Pause:
        """Do the next part after the attempt is read to its end."""
        end = self._believed(end)
        if not self.attempt.reported:
            return self._report(end)
        if end.outcome == OUTCOME_STOPPED and not self.attempt.settled:
            return self._settle()
        self._ports.trainer.delivered(self.attempt.number, self.attempt.refused)
        self._show()
        self._save(replace(self.attempt, finished=True, outcome=end.outcome))
        self._ports.log.note(self._result(end))
        for stream in self._reader.streams.values():
            stream.release(0, all_of_it=True)
        return AT_ONCE

    def _believed(self, end: AttemptEnd) -> AttemptEnd:
        """Return the end; as failed if it is a stop that the stop rules did not ask for.

        The trainer can write the record too, and it can tell the launcher to stop. After a gap it
        is unknown whether the rules were met.
        """
        attempt = self.attempt
        unasked = self._plan.rules is not None and not self._early_stop.is_due(attempt.known)
        if end.outcome != OUTCOME_STOPPED or not unasked or attempt.gaps:
            return end
        if not attempt.reported:
            self._ports.log.write(
                f"attempt {attempt.number}: its record says that it was stopped, but the stop rules"
                " are not met; it counts as failed"
            )
        return replace(end, outcome=OUTCOME_FAILED)

    def _result(self, end: AttemptEnd) -> str:
        """Return a sentence for the log: the outcome and how many points were stored."""
        folds = self.attempt.known.folds
        seen = ", ".join(f"{folds[name].count} of {name}" for name in sorted(folds))
        missing = sorted(set(self._plan.extraction.metrics) - set(folds))
        unseen = f"; never seen: {', '.join(missing)}" if missing else ""
        ended = end.outcome or "ended"
        return f"attempt {self.attempt.number} {ended}; stored: {seen or 'nothing'}{unseen}"

    def _report(self, end: AttemptEnd) -> Pause:
        """Put the last report in flight, unless it would be empty."""
        if end.outcome is None and not final_points(self.attempt.known, self._plan.objective):
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
        if not self._early_stop.report():
            return Pause(least=BATCH_SECONDS, most=BATCH_SECONDS)
        self._save(replace(self.attempt, settled=True))
        return AT_ONCE

    # In every part

    def _stop_if_due(self, known: CarryOver) -> None:
        if self.end is None:
            self._early_stop.stop_if_due(known)

    def _show(self) -> None:
        for name, stream in self._reader.streams.items():
            if name == JOURNAL:
                continue  # its lines are not the trainer's
            self._echo.show(stream, self._place(name), over=self.end is not None)

    def _note(self, gap: Gap) -> None:
        """Remember a gap, and write it to the log."""
        self._ports.log.write(f"metrics may be missing: {gap}")
        gaps, more = self.attempt.gaps, self.attempt.more_gaps
        if len(gaps) < MOST_GAPS:
            self.attempt = replace(self.attempt, gaps=(*gaps, gap))
        else:
            self.attempt = replace(self.attempt, more_gaps=more + 1)

    def _save_if_due(self, read: int) -> None:
        """Save positions that moved without a point: after many bytes, and when all is read."""
        self._unsaved += read
        if self._unsaved and (not read or self._unsaved >= _UNSAVED):
            self._save(self.attempt)

    def _save(self, attempt: Attempt) -> None:
        """Save the attempt; then release the bytes that are not needed any more."""
        self._checkpoint.save(attempt)
        self.attempt = attempt
        self._unsaved = 0
        for name, stream in self._reader.streams.items():
            stream.release(self._echo.offset(stream, self._place(name)))

    def _place(self, stream: str) -> StreamPosition:
        """Return how far a stream is delivered; a new stream has no place yet."""
        return self.attempt.places.get(stream) or StreamPosition()

    def _record(self, attempt: int | None) -> AttemptRecord | None:
        return None if attempt is None else self._ports.trainer.record(attempt)
