"""Where the user sees a search: on the terminal, in the output of a notebook's cell, as lines."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any, Protocol

from trialwatch.sdk.child import LINE, LINES, TERMINAL, VIEW, VIEWS, Message

_STDOUT = 1


class Display(Protocol):
    """Shows messages of the child."""

    output: str
    """What the child must send: TERMINAL, LINES or VIEWS."""

    def show(self, message: Message) -> None:
        """Show a message; ignores those that it cannot show."""


class PlainDisplay:
    """Prints lines."""

    def __init__(self, output: str = LINES) -> None:
        """`output` may be TERMINAL too: then only lines of errors come."""
        self.output = output

    def show(self, message: Message) -> None:
        """Print a line."""
        if message["event"] == LINE:
            print(message["text"], file=sys.stderr if message.get("error") else sys.stdout)


class NotebookDisplay(PlainDisplay):
    """Updates one output of the cell, without widgets."""

    def __init__(self) -> None:
        super().__init__(VIEWS)
        self._handle: Any = None

    def show(self, message: Message) -> None:
        """Replace the table by its next state, or print a line below it."""
        if message["event"] != VIEW:
            super().show(message)
            return
        bundle = {"text/html": message["html"], "text/plain": message["text"]}
        if self._handle is None:
            display = importlib.import_module("IPython.display").display
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)


def display_here() -> Display:
    """Return the display that fits this process."""
    if _in_notebook():
        return NotebookDisplay()
    return PlainDisplay(TERMINAL if _on_terminal() else LINES)


def _in_notebook() -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


def _on_terminal() -> bool:
    """Return whether what Python prints goes to a terminal, unchanged."""
    try:
        return sys.stdout.fileno() == _STDOUT and os.isatty(_STDOUT)
    except (AttributeError, OSError, ValueError):
        return False
