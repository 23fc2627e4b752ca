"""`python -m ui.server DIRECTORY`: the pages as the child of a run.

It prints the address to open, and ends when its standard input does: so it never lives longer than
the run that has started it. `trialwatch ui` is the program for users.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from serving.addresses import Address
from ui.server.app import new_token, served
from ui.sources.local import LocalSource


async def _serve(root: Path) -> None:
    loop = asyncio.get_running_loop()
    listen = Address(host="127.0.0.1", port=0)
    async with served(LocalSource(root), listen, new_token()) as address:
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()
        await loop.run_in_executor(None, sys.stdin.buffer.read)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the run, which ends this process
    asyncio.run(_serve(Path(sys.argv[1])))
