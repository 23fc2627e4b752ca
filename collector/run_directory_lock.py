"""A lock so that only one collector uses a run directory."""

from __future__ import annotations

import errno
import fcntl
import os

from api.errors import SetupError

# In a directory that the trainer may write to, the name may be a link, or a FIFO.
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class RunDirectoryLock:
    """A file lock in a directory. The process holds it until `release`, or until it dies."""

    def __init__(self, directory: str) -> None:
        """Acquire the lock.

        Raises:
            SetupError: another collector holds it, or the directory cannot be written.
        """
        path = f"{directory}/collector.lock"
        try:
            self._descriptor = os.open(path, _FLAGS, 0o666)
        except OSError as error:
            raise SetupError(
                f"cannot open {path} as user {os.geteuid()}: {os.strerror(error.errno or 0)}. "
                "Its directory must be a volume that this user may write"
            ) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.release()
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise
            raise SetupError(
                f"another collector uses {directory}: end it, or give each its own run directory"
            ) from error

    def release(self) -> None:
        """Release the lock."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
