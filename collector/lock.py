"""Never two collectors on one run directory."""

from __future__ import annotations

import errno
import fcntl
import os

from api.errors import SetupError


class Lock:
    """Held until `release`, or until the process dies, however it dies."""

    def __init__(self, directory: str) -> None:
        """Take it.

        Raises:
            SetupError: another collector has it, or the directory cannot be written.
        """
        path = f"{directory}/collector.lock"
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise SetupError(
                f"cannot open {path} as user {os.geteuid()}: {os.strerror(error.errno or 0)}. "
                "The run directory has to be a volume that this user may write"
            ) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.release()
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise
            raise SetupError(
                f"another collector is at work in {directory}: end it, or give each its own"
            ) from error

    def release(self) -> None:
        """Let it go."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
