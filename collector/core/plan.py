"""What a collector collects, and when it takes the next step, as values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from posixpath import dirname

from api.names import ATTEMPTS_DIR, CHECKPOINT_FILE, JOURNAL_DIR
from api.reductions import PodReduction
from api.run_directory import SEGMENT_BYTES
from collector.core.stop_rules import StopRules
from collector.streams.segments import JOURNAL
from filters.extractor import ExtractionSpec, WantedMetrics


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorPlan:
    """What to collect, and from where."""

    extraction: ExtractionSpec
    """The objective's metric is the first."""
    run_dir: str | None = None
    """The directory of the attempts; with None a crash loses the state."""
    state_dir: str | None = None
    """The directory of the checkpoint; None: the run directory."""
    path: str = ""
    """The file to follow; empty: read the launcher's segments."""
    events: str = ""
    """The directory of event files to follow; empty: there are none."""
    journal: bool = False
    """Points may also come by calls (`collector.journal`)."""
    segment_bytes: int = SEGMENT_BYTES
    """Bytes of each segment, the launcher's or the journal's."""
    rules: StopRules | None = None
    source_prefix: str = ""
    """How the names of all sources begin."""
    one_pod: bool = False
    """The trial's job runs one pod: if two succeed, the store shows one."""
    reduce: PodReduction | None = None
    """How the pods of the trial's job become one series; None: the job has one, or all count."""
    native: bool = False
    """A native sidecar: stay until SIGTERM."""

    @property
    def checkpoint(self) -> str | None:
        """The path of the checkpoint; None without a run directory."""
        directory = self.state_dir or self.run_dir
        return None if directory is None else f"{directory}/{CHECKPOINT_FILE}"

    def attempt_directory(self, number: int) -> str:
        """Return the directory of the launcher's files of an attempt."""
        return f"{self.run_dir}/{ATTEMPTS_DIR}/{number}"

    def journal_directory(self, number: int) -> str:
        """Return the directory of the journal of an attempt."""
        return f"{self.state_dir or self.run_dir}/{JOURNAL_DIR}/{number}"

    def extraction_of(self, stream: str) -> WantedMetrics:
        """Return what to look for in a stream, by its name."""
        if stream == JOURNAL and self.journal:
            return replace(self.extraction, journal=True, steps=False)
        if not self.events:
            return self.extraction
        # Only collectors of event files load what reads them.
        from filters.event_files.extractor import EventSpec  # noqa: PLC0415

        return EventSpec(metrics=self.extraction.metrics, directory=dirname(stream))

    @property
    def objective(self) -> str:
        """The objective's metric."""
        return self.extraction.metrics[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """When to take the next step."""

    least: float = 0.0
    """Seconds to sleep; changes of files do not end them, urgent wake-ups do."""
    most: float = 0.0
    """Seconds after which to continue without any wake-up."""
    done: int | None = None
    """The exit status once all work is done, else None."""

    def within(self, seconds: float) -> Pause:
        """Return this pause, cut to so many seconds."""
        return replace(self, least=min(self.least, seconds), most=min(self.most, seconds))


AT_ONCE = Pause()
