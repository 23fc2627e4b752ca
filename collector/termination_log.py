"""The termination message of the collector's container."""

from __future__ import annotations

import contextlib
import os


def write_termination_message(path: str, message: bytes) -> None:
    """Write the message if the file exists; the kubelet makes the file, and reads it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
        try:
            os.write(descriptor, message)
        finally:
            os.close(descriptor)
