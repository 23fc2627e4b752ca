"""Collector and DB manager are killed while a trainer pushes: what was accepted is stored once.

`TRIALWATCH_FAULT_RUNS` says how many runs there are (3; the whole is 30), `TRIALWATCH_FAULT_SEED`
the first one's seed (0), `TRIALWATCH_PUSHES` how many values each run pushes (400; the whole is
10000). A test's name has its seed; what the seed cannot repeat is the machine's own timing.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.collector.disturbance import disturb
from tests.collector.pod_processes import Observations, eventually, terminate, trial
from tests.dbmanager.database_servers import free_port
from tests.dbmanager.dbmanager_process import program

RUNS = int(os.environ.get("TRIALWATCH_FAULT_RUNS", "3"))
FIRST = int(os.environ.get("TRIALWATCH_FAULT_SEED", "0"))
PUSHES = int(os.environ.get("TRIALWATCH_PUSHES", "400"))
_TRAINER = Path(__file__).with_name("pushing_trainer.py")
_SECONDS = 2.0


@pytest.mark.parametrize("seed", range(FIRST, FIRST + RUNS))
def test_each_accepted_point_is_stored_once_and_no_other(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    port = free_port()
    database = f"sqlite:///{tmp_path}/observations.db"
    with program(tmp_path, database) as manager, trial(tmp_path / "pod", manager.address) as pod:

        def start() -> subprocess.Popen[bytes]:
            return pod.collector(f"--push=127.0.0.1:{port}")

        collector = start()
        eventually((pod.run_dir / "push.sock").exists, lambda: pod.log_text)
        script = [sys.executable, str(_TRAINER), str(port), "1", str(PUSHES), str(_SECONDS)]
        trainer = pod.trainer(script)
        collector = disturb(dice, _SECONDS, manager, collector, start)
        assert trainer.wait(300) == 0
        pod.await_delivery()
        assert terminate(collector) == 0, pod.log_text
        manager.end()
        stored = Counter(Observations(tmp_path / "observations.db").values(pod.name))
        accepted = set((pod.folder / "accepted").read_text().split())
        unanswered = set((pod.folder / "unanswered").read_text().split())

    assert set(stored.values()) == {1}, pod.log_text
    assert stored.keys().isdisjoint((pod.folder / "refused").read_text().split()), pod.log_text
    assert accepted <= stored.keys() <= accepted | unanswered, pod.log_text
