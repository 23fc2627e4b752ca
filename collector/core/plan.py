"""What a collector is to do, and when it is to go on, as values."""

from __future__ import annotations

from dataclasses import dataclass

from api.names import ATTEMPTS_DIR, CHECKPOINT_FILE
from api.run_directory import SEGMENT_BYTES
from collector.core.stopping import StopRules
from filters.extractor import ExtractionSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be collected."""

    extraction: ExtractionSpec
    """The objective's metric is the first."""
    run_dir: str | None = None
    """Where the checkpoint is, and the attempts' directories; None: nothing survives a crash."""
    path: str = ""
    """The file to follow; without it the launcher's segments are read."""
    segment_bytes: int = SEGMENT_BYTES
    """How long the launcher makes its segments."""
    rules: StopRules | None = None
    native: bool = False
    """We stay until we are told to go."""

    @property
    def checkpoint(self) -> str | None:
        """Where the checkpoint is kept."""
        return None if self.run_dir is None else f"{self.run_dir}/{CHECKPOINT_FILE}"

    def attempt_directory(self, number: int) -> str:
        """Where the launcher keeps an attempt's files."""
        return f"{self.run_dir}/{ATTEMPTS_DIR}/{number}"

    @property
    def objective(self) -> str:
        """The objective's metric."""
        return self.extraction.metrics[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """When to take the next step."""

    least: float = 0.0
    """Seconds to sleep whatever files do; only an urgent wake-up ends them."""
    most: float = 0.0
    """Seconds after which to go on without any wake-up."""
    done: int | None = None
    """The exit status, where there is nothing left to do."""


AT_ONCE = Pause()
