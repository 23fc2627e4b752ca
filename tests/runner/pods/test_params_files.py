"""`{params.json}` and `{params.yaml}` of a tuning line, with and without mount namespaces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api.documents import mapping_at
from api.types import Assignment, SuggestedTrial
from controller.reconcile.creation import trial_of
from runner.experiments import checked
from runner.pods.statuses import Phase
from tests.runner.local_pods import node
from tests.trialwatch.tuning.test_experiment import request
from trialwatch.tuning.experiment import build_experiment
from trialwatch.tuning.options import read_params


def pod_of_a_trial(*command: str) -> dict[str, Any]:
    """Return the pod of a trial with lr=1e-05 and opt=adam."""
    spaces = read_params(["lr=1e-6..1e-4:log", "opt=adam,sgd"])
    given = checked(build_experiment(request(*command, spaces=spaces))).experiment
    values = {"lr": "1e-05", "opt": "adam"}
    assignments = tuple(Assignment(name=name, value=value) for name, value in values.items())
    trial = trial_of(given, SuggestedTrial(name="t", assignments=assignments), None)
    spec = mapping_at(trial.spec.run_spec, "spec", "template", "spec")
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": spec}


@pytest.mark.parametrize("no_mounts", [None, "not allowed"])
async def test_the_program_reads_the_values_of_its_trial(
    tmp_path: Path, no_mounts: str | None
) -> None:
    command = ("sh", "-c", 'cat "$1" "$2"; echo "$3"', "sh", "{params.json}", "{params.yaml}")
    document = pod_of_a_trial(*command, "--config={params.json}")
    async with node(tmp_path, no_mounts=no_mounts) as here:
        status = await here.run(document)
        log = here.log("training")

    assert status.phase is Phase.SUCCEEDED
    written, _, config = log.rstrip("\n").rpartition("\n--config=")
    assert written == '{"lr": 1e-05, "opt": "adam"}\nlr: 1.0e-05\nopt: "adam"'
    moved = config != "/srv/trialwatch/params.json"
    assert moved == (here.machine.no_mounts is not None)
    assert not Path("/srv/trialwatch").exists()
