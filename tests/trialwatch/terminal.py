"""A real terminal for tests: tmux, which can be resized and read."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0


class Terminal:
    """A terminal of 80 columns and 24 lines, with a shell in a folder."""

    def __init__(self, folder: Path, **environ: str) -> None:
        program = shutil.which("tmux")
        if program is None and not os.environ.get("CI"):
            pytest.skip("tmux is not installed (Debian, Ubuntu: apt-get install tmux)")
        assert program, "tmux is not installed (Debian, Ubuntu: apt-get install tmux)"
        self._tmux = [program, "-S", str(folder / "tmux"), "-f", "/dev/null"]
        kept = {key: os.environ[key] for key in ("PATH", "LANG", "TMPDIR") if key in os.environ}
        env = {
            **kept,
            "LC_ALL": "C.UTF-8",
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "PS1": "$ ",
        }
        subprocess.run(
            [*self._tmux, "new-session", "-d", "-x", "80", "-y", "24", "sh"],
            cwd=folder,
            env={**env, **environ},
            check=True,
        )

    def start(self, *words: str) -> None:
        """Start `trialwatch` with these words."""
        self.start_python("-m", "trialwatch", *words)

    def start_python(self, *words: str) -> None:
        """Start Python with these words."""
        self.press(shlex.join([sys.executable, *words]), "Enter")

    def press(self, *keys: str) -> None:
        """Press keys, in the words of tmux: `C-c`, `Enter`."""
        self._call("send-keys", *keys)

    def resize(self, width: int, height: int) -> None:
        """Change the size, as a user does with the mouse."""
        self._call("resize-window", "-x", str(width), "-y", str(height))

    def shown(self) -> list[str]:
        """Return the visible lines, without the empty ones at the end."""
        return self._call("capture-pane", "-p").rstrip().split("\n")

    def history(self) -> str:
        """Return all that was shown since the start; lines that the terminal wrapped are joined."""
        return self._call("capture-pane", "-p", "-J", "-S", "-")

    def wait_for(self, holds: Callable[[list[str]], object]) -> list[str]:
        """Return the visible lines as soon as it holds for them."""
        deadline = time.monotonic() + PATIENCE
        while not holds(lines := self.shown()):
            assert time.monotonic() < deadline, "\n".join(lines)
            time.sleep(0.05)
        return lines

    def close(self) -> None:
        """End the terminal and its processes."""
        self._call("kill-server")

    def _call(self, *words: str) -> str:
        done = subprocess.run(
            [*self._tmux, *words], check=True, capture_output=True, text=True, encoding="utf-8"
        )
        return done.stdout
