"""How much memory each worker may use: a share of what this process may have."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from typing import Final

CGROUP_FILES: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),  # version 1
)
_LEAST: Final = 384 << 20
"""Bytes: a worker with all algorithms has 260 MiB of data, though only 190 MiB in memory."""


def memory_of_worker(workers: int, available: int) -> int:
    """Return the bytes for each of `workers`: together three quarters of the `available` bytes.

    The rest is for the service itself and for requests that wait.
    """
    return max(available * 3 // 4 // workers, _LEAST)


def available_memory(files: tuple[Path, ...] = CGROUP_FILES) -> int:
    """Return the least of the bytes of the container's limit, of `ulimit -d` and of the machine."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *filter(None, (*map(_limit_in, files), _own_limit()))])


def _own_limit() -> int | None:
    """Return the bytes of data that this process may have: a worker cannot have more."""
    soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
    return None if soft == resource.RLIM_INFINITY else soft


def _limit_in(file: Path) -> int | None:
    try:
        text = file.read_text().strip()
    except OSError:
        return None  # this version of cgroups is not mounted
    return int(text) if text.isdecimal() else None  # `max`: no limit
