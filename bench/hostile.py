"""How long honest calls take while all servers are attacked at once.

The load is that of `tests/bench/hostile_load.py`: each server has the memory of its manifest, and a
process of attackers. All of them share the machine with the honest clients. Then 32 clients, each
with an address of its own, attack the DB manager: with reports of 100,000 points, and with requests
that never come.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.hostile_load import MIB, Target, attack, attack_from_many_addresses, targets

_console = Console()


def run(arguments: argparse.Namespace) -> None:
    """Print the table."""
    asyncio.run(_measure(arguments.rounds))


async def _measure(rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="trialwatch-bench-") as folder:
        async with targets(Path(folder)) as servers:
            for _ in range(rounds):
                await attack(servers)
            crowded = await attack_from_many_addresses(servers[0])
            _print([*servers, crowded])


def _print(servers: list[Target]) -> None:
    table = Table(title="honest calls during attacks (aim: p99 <= 1 s; no server ends)")
    table.add_column("server")
    for heading in ("calls", "p50 s", "p99 s", "worst s", "MiB after", "limit", "alive"):
        table.add_column(heading, justify="right")
    for server in servers:
        of = sorted(server.seconds)
        shown = (of[len(of) // 2], of[len(of) * 99 // 100], of[-1])
        table.add_row(
            server.name,
            str(len(of)),
            *(f"{seconds:.3f}" for seconds in shown),
            f"{server.memory() / MIB:.0f}",
            f"{server.limit // MIB}",
            "yes" if server.is_alive() else "NO",
        )
    _console.print(table)
