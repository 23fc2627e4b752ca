"""Kills a collector and its DB manager at random moments, and starts them again."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Callable

from tests.dbmanager.dbmanager_process import Program

Start = Callable[[], subprocess.Popen[bytes]]


def disturb(
    dice: random.Random,
    seconds: float,
    manager: Program,
    collector: subprocess.Popen[bytes],
    start: Start,
) -> subprocess.Popen[bytes]:
    """Kill one, the other or both, one to three times, at most `seconds` / 2 apart.

    `start` starts a collector; return the one that runs then.
    """
    for _ in range(dice.randrange(1, 4)):
        time.sleep(dice.uniform(0.0, seconds / 2))
        victim = dice.choice(("collector", "manager", "both"))
        if victim != "collector":
            manager.kill()
        if victim != "manager":
            collector.kill()
            collector.wait()
        time.sleep(dice.choice((0.0, 0.1, 0.5)))
        if victim != "collector":
            manager.start()
        collector = revive(collector, start)
    return collector


def revive(collector: subprocess.Popen[bytes], start: Start) -> subprocess.Popen[bytes]:
    """Do what the supervisor does."""
    return collector if collector.poll() is None else start()
