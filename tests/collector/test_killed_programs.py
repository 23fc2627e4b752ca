"""Collector and DB manager are killed at any moment: no value is lost or stored twice.

With Katib's DB manager no value is lost; it may store one twice.

`TRIALWATCH_FAULT_RUNS` says how many runs there are (30), `TRIALWATCH_FAULT_SEED` the first one's
seed (0). A test's name has its seed; what the seed cannot repeat is the machine's own timing.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.collector.disturbance import disturb, revive
from tests.collector.katib_db_manager import Dialect, katib_db_manager
from tests.collector.pod_processes import Observations, terminate, trial
from tests.dbmanager.dbmanager_process import program

RUNS = int(os.environ.get("TRIALWATCH_FAULT_RUNS", "30"))
FIRST = int(os.environ.get("TRIALWATCH_FAULT_SEED", "0"))
_TRAINER = Path(__file__).with_name("rotating_trainer.py")
_SECONDS = 2.0


@pytest.mark.parametrize("seed", range(FIRST, FIRST + RUNS))
def test_every_value_is_stored_once(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    database = f"sqlite:///{tmp_path}/observations.db"
    with program(tmp_path, database) as manager, trial(tmp_path / "pod", manager.address) as pod:
        log = pod.folder / "mnist.log"
        kind = dice.choice(("stdout", "file", "file"))
        own = ("-path", str(log)) if kind == "file" else ()
        watched = ("--file", str(log)) if kind == "file" else ()

        def start() -> subprocess.Popen[bytes]:
            return pod.collector(*own, source=kind)

        attempts = dice.choice((1, 2))
        statuses = []
        collector = start()
        for attempt in range(1, attempts + 1):
            where = str(log) if kind == "file" else "-"
            values = (str(attempt * 1000), str(dice.choice((3, 40, 300))))
            script = [sys.executable, str(_TRAINER), where, *values, str(seed), str(_SECONDS)]
            trainer = pod.trainer(script, *watched)
            collector = disturb(dice, _SECONDS, manager, collector, start)
            collector = revive(collector, start)
            statuses.append(trainer.wait(120))
        assert terminate(collector) == 0, pod.log_text
        manager.end()
        stored = Counter(Observations(tmp_path / "observations.db").values(pod.name))
        written = (pod.folder / "written").read_text().split()

    assert statuses == [0] * attempts
    assert stored == Counter(written), pod.log_text


@pytest.mark.parametrize("seed", range(FIRST, FIRST + RUNS // 6))
def test_katibs_manager_stores_every_value_at_least_once(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    dialect = dice.choice(tuple(Dialect))
    with katib_db_manager(dialect) as manager, trial(tmp_path / "pod", manager.address) as pod:
        collector = pod.collector()
        script = [sys.executable, str(_TRAINER), "-", "1000", "40", str(seed), str(_SECONDS)]
        trainer = pod.trainer(script)
        for _ in range(dice.randrange(2, 5)):
            time.sleep(dice.uniform(0.0, _SECONDS / 2))
            manager.failure = dice.choice((None, "driver: bad connection"))
            if dice.random() < 0.5:
                collector.kill()
                collector.wait()
                collector = pod.collector()
        manager.failure = None
        assert trainer.wait(120) == 0
        assert terminate(collector) == 0, pod.log_text
        stored = manager.values(pod.name)
        written = (pod.folder / "written").read_text().split()

    assert set(stored) == set(written), pod.log_text
