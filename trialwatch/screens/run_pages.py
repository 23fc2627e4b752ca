"""The pages of `--ui`: a process beside the run, from its start to its end."""

from __future__ import annotations

import subprocess
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.errors import SetupError
from runner.pods.own_programs import own_program

_GRACE = 5.0
"""Seconds for the pages to end."""


@contextmanager
def run_pages(root: Path, *, open_browser: bool) -> Iterator[str]:
    """Serve the pages of a state directory; give the address to open.

    A process of its own: drawing must not slow the run, and the run must not slow the pages.

    Raises:
        SetupError: the pages cannot be served; its output says why.
    """
    command = [*own_program("ui.server"), str(root.absolute())]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            address = process.stdout.readline().strip() if process.stdout else ""
            if not address:
                raise SetupError("--ui: the pages did not start: run again without --ui")
            if open_browser and not webbrowser.open(address):
                print("--open: no browser here; open the address yourself", file=sys.stderr)
            yield address
        finally:
            if process.stdin:
                process.stdin.close()
            try:
                process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
