"""Locks that keep the runs of a machine apart: no device has trials of two runs.

There is a file for each device, in a directory of all users, and a run locks it by flock(2) while
one of its pods has the device. The spawner keeps the same descriptors open. So after a kill of the
runner, the kernel frees a device when the last container has ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, TypeAlias

VARIABLE: Final = "TRIALWATCH_DEVICE_LOCKS"
"""The variable with the directory of the locks, in place of the usual one."""
_PLACES: Final = ("/run/lock", "/dev/shm", "/tmp")  # noqa: S108 - see `usual_folder`
_SHARED: Final = stat.S_ISVTX | stat.S_IWOTH
_NAME: Final = "trialwatch-devices"

Device: TypeAlias = tuple[str, str]
"""The kind, such as `nvidia.com/gpu`, and the name, such as `0`."""


class DeviceLocks:
    """The locks of a run. A device without a lock file counts as free."""

    def __init__(self, files: Mapping[Device, int] | None = None, problem: str = "") -> None:
        """Take an open descriptor for each device, and why some have none."""
        self._files = dict(files or {})
        self.problem = problem

    @property
    def descriptors(self) -> tuple[int, ...]:
        """The descriptors; a process that keeps them open keeps the locks."""
        return tuple(self._files.values())

    def take(self, device: Device) -> bool:
        """Lock a device; return whether this run has it now."""
        file = self._files.get(device)
        if file is None:
            return True
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def give_back(self, device: Device) -> None:
        """Unlock a device; without effect if it is not locked."""
        file = self._files.get(device)
        if file is not None:
            fcntl.flock(file, fcntl.LOCK_UN)


def usual_folder(environ: Mapping[str, str]) -> Path:
    """Return the directory of the locks: the same for each user of a machine."""
    if environ.get(VARIABLE):
        return Path(environ[VARIABLE])
    for place in _PLACES:
        with contextlib.suppress(OSError):
            if Path(place).stat().st_mode & _SHARED == _SHARED:
                return Path(place, _NAME)
    return Path(_PLACES[-1], _NAME)


@contextmanager
def open_locks(devices: Mapping[Device, str], folder: Path) -> Iterator[DeviceLocks]:
    """Open the lock files of devices. Trials run also if that fails: `problem` says why.

    Args:
        devices: for each device a name that is the same in all runs of this machine.
        folder: the directory of the files; it is created if it is missing.
    """
    files: dict[Device, int] = {}
    with ExitStack() as stack:
        try:
            for device, name in devices.items():
                files[device] = _open(folder, f"{device[0]}-{name}")
                stack.callback(os.close, files[device])
        except OSError as error:
            yield DeviceLocks(
                files,
                f"cannot lock the devices in {folder} ({error.strerror}), so another run may use"
                f" them too: give each run its own by --gpus, or set {VARIABLE} to a directory",
            )
        else:
            yield DeviceLocks(files)


def _open(folder: Path, name: str) -> int:
    """Open a lock file, also that of another user: for a lock, reading is enough."""
    directory = _open_folder(folder)
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    path = re.sub(r"[^\w.-]", "_", name)
    try:
        with contextlib.suppress(FileNotFoundError):
            return os.open(path, flags, dir_fd=directory)
        with contextlib.suppress(FileExistsError):
            made = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=directory)
            os.fchmod(made, 0o644)  # whatever the umask is
            return made
        return os.open(path, flags, dir_fd=directory)
    finally:
        os.close(directory)


def _open_folder(folder: Path) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        folder.mkdir()
    except FileExistsError:
        return os.open(folder, flags)
    opened = os.open(folder, flags)
    os.fchmod(opened, stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO | stat.S_ISVTX)
    return opened
