"""Attacks on all servers at once, within the memory of their manifests."""

from __future__ import annotations

from pathlib import Path

from tests.bench.hostile_load import attack, targets


async def test_all_servers_survive_hostile_requests_and_answer_honest_ones(tmp_path: Path) -> None:
    async with targets(tmp_path) as servers:
        await attack(servers)

        for server in servers:
            assert server.is_alive(), server.name
            assert server.seconds, server.name
            assert server.memory() < server.limit, server.name
