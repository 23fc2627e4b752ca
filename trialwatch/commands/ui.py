"""Show the experiments of this machine in a browser, live.

It serves the pages on this machine's loopback address, and prints the address to open. The token in
it is new each time; without it, nothing can be read. Ctrl-C ends the server, and nothing
else: runs go on. The pages need no network.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from api.errors import UserError
from runner.state.directory import DEFAULT
from serving.addresses import Address, parse_address

if TYPE_CHECKING:
    import argparse

EXAMPLES = """\
examples:
    trialwatch ui --open
    trialwatch ui --state-dir work/.trialwatch --listen 127.0.0.1:8080
"""
_LISTEN = "127.0.0.1:0"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--state-dir",
        type=Path,
        default=DEFAULT,
        metavar="DIR",
        help=f"the directory with the experiments of this machine (default {DEFAULT})",
    )
    parser.add_argument(
        "--listen",
        default=_LISTEN,
        metavar="HOST:PORT",
        help="a loopback address of this machine (default: 127.0.0.1 and a free port)",
    )
    parser.add_argument("--open", action="store_true", help="open the address in a browser too")


def run(arguments: argparse.Namespace) -> int:
    """Serve until the user interrupts; return the exit status."""
    listen = parse_address(arguments.listen)
    if listen is None:
        raise UserError(f"--listen {arguments.listen!r} is not HOST:PORT: write {_LISTEN}")
    return asyncio.run(_serve(arguments, listen))


async def _serve(arguments: argparse.Namespace, listen: Address) -> int:
    from ui.server.app import new_token, served  # noqa: PLC0415 - importing aiohttp takes time
    from ui.sources.local import LocalSource  # noqa: PLC0415 - the same

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    async with served(LocalSource(arguments.state_dir), listen, new_token()) as address:
        print(f"trialwatch ui: showing {arguments.state_dir}; Ctrl-C ends it", file=sys.stderr)
        print(address, flush=True)
        if arguments.open:
            await asyncio.to_thread(webbrowser.open, address)
        await ended.wait()
    return 0
