"""A new user at a terminal of 80 columns and 24 lines, who types and does what the screen says."""

from __future__ import annotations

import re
import time
from pathlib import Path

from tests.installation.installed_wheel import Environment
from tests.trialwatch.terminal import Terminal

_PROMPT = re.compile(r"^\[(\d+)\] \$ ?", re.MULTILINE)
_LINE = re.compile(r"^ +(?:[a-z -]+: )?(trialwatch .*)$", re.MULTILINE)


class NewUser:
    """Types lines, each as soon as the one before has ended; keeps what each line printed."""

    def __init__(self, folder: Path, installed: Environment, path: str) -> None:
        self._terminal = Terminal(folder, PATH=f"{installed.bin}:{path}", PYTHONPATH="")
        # Before its prompt, the shell would show what is typed once more, and behind that prompt.
        self._terminal.wait_for(lambda lines: lines[-1].strip() in ("#", "$"))
        self._terminal.press("-l", "PS1='[$?] $ '")  # root's shell ignores that of the environment
        self._terminal.press("Enter")
        self.screen = ""
        """What the last line has printed, with wrapped lines joined."""
        self.status = 0
        """Its exit status."""
        self.seconds = 0.0
        """How long it took."""
        self._typed = 0
        self._wait()

    def types(self, line: str) -> str:
        """Type a line, wait until it has ended, and return what it has printed."""
        begun = time.monotonic()
        self._terminal.press("-l", line)
        self._terminal.press("Enter")
        self._typed += 1
        self._wait()
        self.seconds = time.monotonic() - begun
        return self.screen

    def finds(self, pattern: str) -> str:
        """Return the group 1 of a pattern that must be on the screen."""
        found = re.search(pattern, self.screen)
        assert found, f"{pattern} is not on the screen:\n{self.screen}"
        return found[1]

    def line_to_write(self) -> str:
        """Return the last line on the screen that is a command of trialwatch."""
        lines = _LINE.findall(self.screen)
        assert lines, f"no line to write is on the screen:\n{self.screen}"
        return str(lines[-1]).strip()

    def close(self) -> None:
        """Close the terminal."""
        self._terminal.close()

    def _wait(self) -> None:
        self._terminal.wait_for(lambda _: self._at_prompt())

    def _at_prompt(self) -> bool:
        parts = _PROMPT.split(self._terminal.history().rstrip("\n"))
        # before, status, line and output, status, line and output, ...
        if len(parts) != 2 * self._typed + 3 or parts[-1].strip():
            return False
        self.status = int(parts[-2])
        self.screen = parts[-3].partition("\n")[2]
        return True
