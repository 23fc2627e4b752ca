"""The bench of the collector: its trainers end, with either launcher."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench import collector as bench

_QUARTER_MIB = "import sys; sys.stdout.write('step\\n' * 52_000 + 'loss=1\\n')"
"""More than a pipe holds."""


def test_a_trainer_that_prints_much_ends_although_the_launcher_is_not_built(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bench, "_LAUNCH", tmp_path / "launch")
    monkeypatch.setattr(bench, "_LONGEST_TRAINING", 30.0)
    with bench.bench_pod() as pod:
        pod.collect("--echo=false")
        assert bench.end_seconds(pod, [sys.executable, "-c", _QUARTER_MIB]) < 30.0
