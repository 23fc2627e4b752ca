"""Where an experiment is watched: a live table on a terminal, plain lines anywhere else."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live

from trialwatch.view.closing import closing
from trialwatch.view.lines import news, opening
from trialwatch.view.live import LiveView
from trialwatch.view.standing import Standing


class Screen:
    """Shows an experiment's standings as they come; entered before the first, left after the last.

    It starts no thread: what is on the screen is the last standing that it was shown.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: Standing | None = None
        self._live: Live | None = None
        if console.is_terminal and not console.is_dumb_terminal:
            self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")

    def __enter__(self) -> Self:
        """Take the terminal."""
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the terminal back; the last table stays above what follows."""
        if self._live:
            self._live.stop()

    def show(self, standing: Standing) -> None:
        """Bring the screen up to date."""
        if self._live:
            self._live.update(LiveView(standing), refresh=True)
        elif self._last is None:
            self._say(*opening(standing))
        else:
            self._say(*news(self._last, standing))
        self._last = standing

    def close(self, standing: Standing, report: str = "") -> None:
        """Say how it ended; `report` is the place of the report. Called after it was left."""
        self._say(*closing(standing, report))

    def _say(self, *lines: str) -> None:
        for line in lines:
            # Not wrapped and not coloured: a line is what programs read, and names have brackets.
            self._console.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)
