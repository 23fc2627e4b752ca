"""Show a running experiment: as a live table on a terminal, else as plain lines."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, RenderableType
from rich.live import Live

from api.faults import visible
from trialwatch.screens.terminal import held_errors
from trialwatch.view.closing import Commands, closing
from trialwatch.view.lines import changes, opening
from trialwatch.view.live import LiveView
from ui.model.experiment_summary import ExperimentSummary

_REFRESHES = 2
"""Per second. Each one draws the whole screen, so a resized terminal has no old lines."""


class RunScreen(Protocol):
    """Shows the summaries of an experiment, as a context manager. A screen inherits from it."""

    def __enter__(self) -> Self:
        """Begin."""
        self.begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End; `close` follows if the run has a result."""
        self.end(error)

    def begin(self) -> None:
        """Begin."""

    def end(self, error: BaseException | None) -> None:
        """End; `error` has ended the run."""

    def show(self, summary: ExperimentSummary) -> None:
        """Show a new summary."""

    def warn(self, text: str) -> None:
        """Show a warning."""

    def tell(self, text: str) -> None:
        """Show a line about an event."""

    def close(
        self, summary: ExperimentSummary, report: str = "", commands: Commands | None = None
    ) -> None:
        """Show the result; `report` is the path of the report."""


OpenScreen = Callable[[Console], RunScreen]


def terminal_screen(console: Console) -> RunScreen:
    """Return the screen of the command line."""
    return Screen(console, hold=held_errors)


def _now() -> datetime:
    return datetime.now(UTC)


class Screen(RunScreen):
    """The screen of the command line.

    On a terminal the table has the alternate screen, and a thread draws it, so the times move while
    nothing else happens. At the end, the last table is printed on the ordinary screen.
    """

    def __init__(
        self,
        console: Console,
        now: Callable[[], datetime] = _now,
        hold: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """`hold` is entered while the table is shown; it keeps other output away."""
        self._console, self._now, self._hold = console, now, hold
        self._last: ExperimentSummary | None = None
        self._messages: list[str] = []
        self._is_live = console.is_terminal and not console.is_dumb_terminal
        self._showing = ExitStack()

    def begin(self) -> None:
        """Do nothing yet: the terminal is used from the first summary on."""

    def end(self, error: BaseException | None) -> None:
        """Give the terminal back; after an error, print the last table."""
        self._showing.close()
        if error is not None and self._is_live and self._last is not None:
            self._console.print(LiveView(self._last))

    def show(self, summary: ExperimentSummary) -> None:
        """Show a new summary; on a terminal at the next refresh."""
        last, self._last = self._last, summary
        if not self._is_live:
            self._say(*(opening(summary) if last is None else changes(last, summary)))
        elif last is None:
            self._start()

    def warn(self, text: str) -> None:
        """Show a warning below the table, and write it to standard error."""
        self._remember(text)
        print(text, file=sys.stderr)

    def tell(self, text: str) -> None:
        """Print a line about an event; while the table is shown, below it."""
        if self._is_live and self._last is not None:
            self._remember(text)
        else:
            self._say(visible(text))

    def _remember(self, text: str) -> None:
        """Keep a line for the table, with the time of the clock on the wall."""
        self._messages.append(f"{self._now().astimezone():%H:%M:%S} {text}")

    def close(
        self, summary: ExperimentSummary, report: str = "", commands: Commands | None = None
    ) -> None:
        """Print the result, after `end`; `report` is the path of the report."""
        if self._is_live:
            self._console.print(LiveView(summary))
        self._say(*closing(summary, report, commands or Commands()))

    def _start(self) -> None:
        self._showing.enter_context(self._hold())
        live = Live(
            console=self._console,
            screen=True,
            refresh_per_second=_REFRESHES,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
            get_renderable=self._drawn,
        )
        live.start(refresh=True)
        self._showing.callback(live.stop)

    def _drawn(self) -> RenderableType:
        """Return the table at this moment; the thread of `Live` calls it."""
        last = self._last
        return "" if last is None else LiveView(last.at(self._now()), tuple(self._messages))

    def _say(self, *lines: str) -> None:
        for line in lines:
            # Without wrapping and colours: programs read these lines, and names may have brackets.
            self._console.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)
