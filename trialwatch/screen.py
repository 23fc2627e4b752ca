"""Show a running experiment: as a live table on a terminal, else as plain lines."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live

from trialwatch.view.closing import closing
from trialwatch.view.experiment_summary import ExperimentSummary
from trialwatch.view.lines import changes, opening
from trialwatch.view.live import LiveView


class Screen:
    """Shows the summaries of an experiment, as a context manager.

    It starts no thread: the screen changes only in `show`.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: ExperimentSummary | None = None
        self._live: Live | None = None
        if console.is_terminal and not console.is_dumb_terminal:
            self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")

    def __enter__(self) -> Self:
        """Start to use the terminal."""
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop to use the terminal; the last table stays visible."""
        if self._live:
            self._live.stop()

    def show(self, summary: ExperimentSummary) -> None:
        """Show a new summary."""
        if self._live:
            self._live.update(LiveView(summary), refresh=True)
        elif self._last is None:
            self._say(*opening(summary))
        else:
            self._say(*changes(self._last, summary))
        self._last = summary

    def close(self, summary: ExperimentSummary, report: str = "", again: str = "") -> None:
        """Print the result, after `__exit__`.

        `report` is the path of the report, `again` the line that continues the experiment.
        """
        self._say(*closing(summary, report, again))

    def _say(self, *lines: str) -> None:
        for line in lines:
            # Without wrapping and colours: programs read these lines, and names may have brackets.
            self._console.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)
