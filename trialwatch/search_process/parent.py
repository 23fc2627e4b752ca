"""End this process when its parent ends, as Ctrl-C would."""

from __future__ import annotations

import os
import select
import signal
import threading
import time

_LOOK = 1.0
"""Seconds between two looks, on a kernel without `pidfd_open`."""


def end_with(parent: int) -> None:
    """Send SIGINT to this process as soon as the process `parent` has ended, or if it has already.

    A trial would otherwise run on after a notebook's kernel was killed.
    """
    threading.Thread(target=_watch, args=(parent,), daemon=True, name="parent").start()


def _watch(parent: int) -> None:
    try:
        descriptor = os.pidfd_open(parent)
    except OSError:
        while os.getppid() == parent:
            time.sleep(_LOOK)
    else:
        # The number may belong to another process if the parent had ended before.
        while os.getppid() == parent:
            select.select([descriptor], [], [])
        os.close(descriptor)
    _hush()
    os.kill(os.getpid(), signal.SIGINT)


def _hush() -> None:
    """Send output nowhere: the pipes of the parent are broken, and writing must not fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
