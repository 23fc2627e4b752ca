"""Ends a program when the authorities that it trusts have changed: gRPC reads them only once.

They change about once a year, long before the old ones are no longer used. Kubernetes starts the
program again.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from serving.client_security import ClientSecurity
from serving.logs import get_logger

_LOOK_SECONDS: Final = 60.0
_log = get_logger(__name__)


async def until_authorities_change(
    *securities: ClientSecurity, look_seconds: float = _LOOK_SECONDS
) -> None:
    """Return when a file of authorities has other content than at the call; else never.

    A file that is empty or cannot be read has not changed: the program goes on with what it has
    read. A change counts when the next look finds the same again: a file that is written in place
    is empty first, then there in part.
    """
    paths = [security.ca for security in securities if security.ca is not None]
    first = {path: await asyncio.to_thread(_read, path) for path in paths}
    before = dict(first)
    while True:
        await asyncio.sleep(look_seconds)
        for path in paths:
            now = await asyncio.to_thread(_read, path)
            settled = now == before[path]
            before[path] = now
            if now and now != first[path] and settled:
                _log.info(
                    "the authorities have changed: ending, to start with them", path=str(path)
                )
                return


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
