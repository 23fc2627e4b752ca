"""The process that searches, and what it answers."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, Any, Final

Message = dict[str, Any]
"""An object of JSON; `event` says what it is."""

Show = Callable[[Message], None]
"""Shows a message to the user."""

TERMINAL: Final = "terminal"
"""The child draws on the terminal itself."""
LINES: Final = "lines"
"""The child sends lines of text."""
VIEWS: Final = "views"
"""The child sends its table as HTML and as text, again and again."""

RESULT, ERROR, LINE, VIEW = "result", "error", "line", "view"
_ENDINGS = (RESULT, ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How the child has ended."""

    message: Message | None
    """The result or the error; None if it ended without."""
    interrupted: bool
    """Whether the user has interrupted it."""
    status: int
    """Its exit status; negative: the signal that has killed it."""


class _Reader(threading.Thread):
    """Reads a stream line by line; Ctrl-C interrupts the main thread only, so no line is lost."""

    def __init__(self, stream: IO[str], arrived: queue.SimpleQueue[Message | None]) -> None:
        super().__init__(daemon=True, name="trialwatch")
        self._stream, self._arrived = stream, arrived
        self.ending: Message | None = None
        self.has_ended = False

    def run(self) -> None:
        """Read to the end."""
        try:
            with self._stream:
                for line in self._stream:
                    self._arrived.put(self._read(line))
        finally:
            self.has_ended = True
            self._arrived.put(None)

    def _read(self, line: str) -> Message:
        message: Message = json.loads(line)
        if message["event"] in _ENDINGS:
            self.ending = message
        return message


class _ErrorReader(_Reader):
    """Reads standard error: its lines are text."""

    def _read(self, line: str) -> Message:
        return {"event": LINE, "text": line.rstrip("\n"), "error": True}


def search(words: Sequence[str], output: str, show: Show) -> Ending:
    """Run `trialwatch` with these words in a process of its own, until it ends.

    KeyboardInterrupt is passed on as the signal of Ctrl-C: the child ends its trials, and says what
    it has. If this process is killed, the child ends its trials too.

    Args:
        words: those of the command line, `tune` first.
        output: TERMINAL, LINES or VIEWS.
        show: is called with each message.
    """
    process, events = _start(words, output)
    arrived: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
    reader = _Reader(events, arrived)
    readers = [reader]
    if process.stderr is not None:
        readers.append(_ErrorReader(process.stderr, arrived))
    for one in readers:
        one.start()
    try:
        interrupted = _follow(process, readers, arrived, show)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait()
        for one in readers:
            one.join()
    _show_rest(arrived, show)
    return Ending(message=reader.ending, interrupted=interrupted, status=process.returncode)


def _follow(
    process: subprocess.Popen[str],
    readers: Sequence[_Reader],
    arrived: queue.SimpleQueue[Message | None],
    show: Show,
) -> bool:
    """Show messages until the process has ended; return whether the user has interrupted it."""
    interrupted = False
    while process.poll() is None:
        try:
            if arrived.empty() and all(one.has_ended for one in readers):
                process.wait()
            elif (message := arrived.get()) is not None:
                show(message)
        except KeyboardInterrupt:
            interrupted = True
            process.send_signal(signal.SIGINT)
            arrived.put(None)  # what was taken from the queue may be lost, even the last entry
    return interrupted


def _show_rest(arrived: queue.SimpleQueue[Message | None], show: Show) -> None:
    while not arrived.empty():
        if (message := arrived.get()) is not None:
            show(message)


def _start(words: Sequence[str], output: str) -> tuple[subprocess.Popen[str], IO[str]]:
    """Start the child; return it, and the stream of its messages."""
    reading, writing = os.pipe()
    call = (sys.executable, "-I", "-m", "trialwatch.program", "trialwatch.search_process")
    drawn = output == TERMINAL
    try:
        process = subprocess.Popen(  # noqa: S603 - our own program
            (*call, str(os.getpid()), str(writing), output, *words),
            stdin=subprocess.DEVNULL,
            stdout=None if drawn else subprocess.DEVNULL,
            stderr=None if drawn else subprocess.PIPE,
            pass_fds=(writing,),
            # A terminal and Jupyter send Ctrl-C to a whole group: the child gets it once, from us.
            start_new_session=True,
            encoding="utf-8",
            errors="replace",
        )
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    return process, open(reading, encoding="utf-8")  # noqa: PTH123 - the reader closes it
