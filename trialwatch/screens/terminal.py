"""The streams of the terminal while a table covers it, so that no line is torn or lost."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile

from rich.console import Console

_ERRORS = 2
_PIECE = 1 << 16


@contextmanager
def own_console(*, errors: bool) -> Iterator[Console]:
    """Return a console on standard output, or with `errors` on standard error.

    It has a descriptor of its own, because standard error may be held meanwhile.
    """
    stream = sys.stderr if errors else sys.stdout
    stream.flush()
    try:
        descriptor = os.dup(stream.fileno())
    except OSError:  # a stream in memory
        yield Console(file=stream)
        return
    with open(descriptor, "w", encoding=stream.encoding, errors=stream.errors) as file:  # noqa: PTH123
        yield Console(file=file)


@contextmanager
def held_errors() -> Iterator[None]:
    """Write standard error at the end, if it is a terminal; child processes are included.

    The descriptor itself is redirected, because libraries in C and other processes write to it.
    """
    if not os.isatty(_ERRORS):
        yield
        return
    with TemporaryFile() as held:
        terminal = os.dup(_ERRORS)
        sys.stderr.flush()
        os.dup2(held.fileno(), _ERRORS)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(terminal, _ERRORS)
            os.close(terminal)
            held.seek(0)
            while piece := held.read(_PIECE):
                sys.stderr.write(piece.decode(errors="replace"))
            sys.stderr.flush()
