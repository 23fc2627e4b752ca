"""What shows a search to the parent: lines of text, or the table as HTML."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from rich.console import Console, Group

from trialwatch.screens.screen import OpenScreen, RunScreen, Screen
from trialwatch.search_process.messages import Messages, result_content
from trialwatch.view.closing import Commands, closing
from trialwatch.view.live import LiveView
from ui.model.experiment_summary import ExperimentSummary

_COMMANDS = Commands(
    again="call trialwatch.tune again with the same arguments",
    retry="call trialwatch.tune again with retry_failed=True",
)
_REFRESH = 1.0
"""Seconds between two views while nothing but the time changes."""
_WIDTH, _HEIGHT = 110, 50
"""Of a view, in characters and lines."""
_HTML = '<pre style="line-height: 1.2; font-size: 90%">{code}</pre>'


class AnsweringScreen(RunScreen):
    """Another screen, and the result as a message."""

    def __init__(self, screen: RunScreen, messages: Messages) -> None:
        self._screen, self._messages = screen, messages

    def begin(self) -> None:
        """Begin."""
        self._screen.begin()

    def end(self, error: BaseException | None) -> None:
        """End."""
        self._screen.end(error)

    def show(self, summary: ExperimentSummary) -> None:
        """Show a new summary."""
        self._screen.show(summary)

    def warn(self, text: str) -> None:
        """Show a warning."""
        self._screen.warn(text)

    def tell(self, text: str) -> None:
        """Show a line about an event."""
        self._screen.tell(text)

    def close(
        self, summary: ExperimentSummary, report: str = "", commands: Commands | None = None
    ) -> None:
        """Show the result, and send it; the lines to type are those of Python."""
        del commands
        self._screen.close(summary, report, _COMMANDS)
        self._messages.send("result", **result_content(summary, report))


def line_screen(messages: Messages) -> OpenScreen:
    """Return what opens a screen that sends lines."""

    def tell(text: str) -> None:
        messages.send("line", text=text)

    return lambda _console: Screen(Console(file=_Lines(tell)))


class _Lines(io.StringIO):
    """A text file whose lines go to a function."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__()
        self._tell, self._rest = tell, ""

    def write(self, text: str) -> int:
        """Pass on the lines that are complete."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._tell(line)
        return len(text)


def view_screen(messages: Messages) -> OpenScreen:
    """Return what opens a screen that sends views."""
    return lambda _console: ViewScreen(messages)


class ViewScreen(RunScreen):
    """Sends the table when it has changed, and each second."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._last: ExperimentSummary | None = None
        self._warnings: list[str] = []
        self._sent = ""
        self._ended = threading.Event()
        self._clock = threading.Thread(target=self._tick, daemon=True, name="view")
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Begin to send views."""
        self._clock.start()

    def end(self, error: BaseException | None) -> None:
        """Send no more views by time."""
        del error
        self._ended.set()
        self._clock.join()

    def show(self, summary: ExperimentSummary) -> None:
        """Show a new summary."""
        self._last = summary
        self._send(LiveView(summary, tuple(self._warnings)))

    def warn(self, text: str) -> None:
        """Show a warning below the table."""
        self._warnings.append(text)

    def tell(self, text: str) -> None:
        """Show a line about an event below the table."""
        self._warnings.append(text)

    def close(
        self, summary: ExperimentSummary, report: str = "", commands: Commands | None = None
    ) -> None:
        """Show the last table, and the lines of the result below it."""
        lines = "\n".join(closing(summary, report, commands or _COMMANDS))
        self._send(Group(LiveView(summary, tuple(self._warnings)), lines))

    def _tick(self) -> None:
        while not self._ended.wait(_REFRESH):
            if self._last is not None:
                view = LiveView(self._last.at(datetime.now(UTC)), tuple(self._warnings))
                self._send(view)

    def _send(self, view: LiveView | Group) -> None:
        console = Console(
            file=io.StringIO(),
            record=True,
            width=_WIDTH,
            height=_HEIGHT,
            force_terminal=True,
            force_jupyter=False,
            color_system="truecolor",
        )
        console.print(view, markup=False, highlight=False, emoji=False)
        html = console.export_html(inline_styles=True, code_format=_HTML, clear=False)
        with self._lock:
            if html == self._sent:
                return
            self._sent = html
            self._messages.send("view", html=html, text=console.export_text())
