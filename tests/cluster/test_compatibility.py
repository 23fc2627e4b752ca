"""One experiment in each mix of Katib's programs and trialwatch's; prints docs/compatibility.md's table.

The node is one of its own (`katib_installation`). Without Katib's programs, the tests are skipped.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import pytest

from tests.architecture.tree import ROOT
from tests.cluster.client import Cluster
from tests.cluster.experiments import Experiment, applied, begun, true_conditions
from tests.cluster.katib_experiments import experiment, measured, trials_of
from tests.cluster.katib_installation import TEAM, given
from tests.cluster.katib_mixes import MIXES, Mix, Mixer

pytestmark = [pytest.mark.alone]

_TRIALS = 3
_LOST_SECONDS = 60.0
"""No mix may lose a minute against Katib alone."""
_EXAMPLE = ROOT / "examples" / "random.yaml"


@pytest.fixture(scope="module")
def mixer(katib: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mixer]:
    mixer = Mixer(katib, tmp_path_factory.mktemp("mixes"), given().version)
    yield mixer
    mixer.end()


@pytest.fixture(scope="module")
def seconds_of() -> dict[Mix, float]:
    """Hold what the experiment of each mix took."""
    return {}


def took(found: Experiment, since: float) -> float:
    """Return the seconds until the experiment has succeeded; fail if it ends in another way."""
    document = found.end()
    assert "Succeeded" in true_conditions(document), document["status"]
    return time.monotonic() - since


@pytest.mark.parametrize("mix", MIXES, ids=lambda mix: "-".join(mix.cells))
def test_an_experiment_succeeds_with_all_its_metrics(
    katib: Cluster,
    mixer: Mixer,
    mix: Mix,
    seconds_of: dict[Mix, float],
) -> None:
    name = f"mix-{MIXES.index(mix)}"
    mixer.become(mix)
    if mix in (MIXES[0], MIXES[-1]):
        # Most of it is training: how long that takes, the machine says.
        seconds = of_the_example(katib)
        sys.stdout.write(f"\nexamples/random.yaml with {mix.cells[0]} alone: {seconds:.1f} s\n")
    since = time.monotonic()
    document = experiment(name, trials=_TRIALS, at_once=_TRIALS, search="random")
    seconds_of[mix] = took(begun(katib, TEAM, document), since)
    found = trials_of(katib, TEAM, name)
    katib.kubectl("delete", "experiment", name, f"--namespace={TEAM}", "--wait=true")

    row = " | ".join([*mix.cells, f"{seconds_of[mix]:.1f}"])
    sys.stdout.write(f"\n| {row} |\n")
    assert [measured(trial) for trial in found] == [True] * _TRIALS
    assert seconds_of[mix] < seconds_of.get(MIXES[0], seconds_of[mix]) + _LOST_SECONDS


def of_the_example(katib: Cluster) -> float:
    """Return the seconds of examples/random.yaml, from `kubectl apply` to Succeeded."""
    since = time.monotonic()
    with applied(katib, _EXAMPLE) as found:
        seconds = took(found, since)
    katib.kubectl("wait", "--for=delete", "experiment/random", "--namespace=kubeflow")
    return seconds
