"""One experiment in each mix of Katib's programs and trialwatch's; prints docs/compatibility.md's table.

The node is one of its own (`katib_installation`). Without Katib's programs, the tests are skipped.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.cluster.client import Cluster
from tests.cluster.experiments import Experiment, applied, begun, true_conditions
from tests.cluster.katib_experiments import experiment, measured, trials_of
from tests.cluster.katib_installation import TEAM
from tests.cluster.katib_mixes import MIXES, Mix, mixed

pytestmark = [pytest.mark.alone]

_TRIALS = 3
_LOST_SECONDS = 60.0
"""No mix may lose a minute against Katib alone."""


@pytest.fixture
def seconds_of() -> dict[Mix, float]:
    return _SECONDS


_SECONDS: dict[Mix, float] = {}


def took(found: Experiment, since: float) -> float:
    """Return the seconds until the experiment has succeeded; fail if it ends in another way."""
    document = found.end()
    assert "Succeeded" in true_conditions(document), document["status"]
    return time.monotonic() - since


@pytest.mark.parametrize("mix", MIXES, ids=lambda mix: "-".join(mix.cells))
def test_an_experiment_succeeds_with_all_its_metrics(
    katib: Cluster, mix: Mix, tmp_path: Path, seconds_of: dict[Mix, float]
) -> None:
    name = f"mix-{MIXES.index(mix)}"
    with mixed(katib, mix, tmp_path / "migration"):
        since = time.monotonic()
        document = experiment(name, trials=_TRIALS, at_once=_TRIALS, search="random")
        seconds_of[mix] = took(begun(katib, TEAM, document), since)
        assert all(map(measured, trials_of(katib, TEAM, name)))
        katib.kubectl("delete", "experiment", name, f"--namespace={TEAM}", "--wait=true")

    row = " | ".join([*mix.cells, f"{seconds_of[mix]:.1f}"])
    sys.stdout.write(f"| {row} |\n")
    assert seconds_of[mix] < seconds_of.get(MIXES[0], seconds_of[mix]) + _LOST_SECONDS


def test_the_example_takes_at_most_half_as_long_as_with_katib(
    katib: Cluster, tmp_path: Path
) -> None:
    seconds = []
    for mix in (MIXES[0], MIXES[-1]):
        with mixed(katib, mix, tmp_path / "migration"):
            since = time.monotonic()
            with applied(katib, ROOT / "examples" / "random.yaml") as found:
                seconds.append(took(found, since))
            katib.kubectl("wait", "--for=delete", "experiment/random", "--namespace=kubeflow")
    katibs, ours = seconds
    sys.stdout.write(f"examples/random.yaml: Katib {katibs:.1f} s, trialwatch {ours:.1f} s\n")

    assert ours <= 0.5 * katibs
