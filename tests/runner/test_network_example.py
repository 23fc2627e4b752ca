"""The example of `enas`, for real, in few trials of one epoch."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from api.objects.yamlout import dump_objects
from api.objects.yamltext import load_objects
from tests.runner.experiment_runs import ROOT, Machine


def test_each_trial_trains_the_network_that_enas_suggests(machine: Machine) -> None:
    [document] = load_objects((ROOT / "examples" / "nas" / "enas.yaml").read_text())
    spec: Any = document["spec"]
    spec["maxTrialCount"], spec["parallelTrialCount"], spec["maxFailedTrialCount"] = 2, 1, 1
    [one] = spec["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]["containers"]
    one["command"][1] = str(ROOT / "examples" / "nas" / "enas_child.py")
    one["command"].append("--num_epochs=1")
    (machine.folder / "e.yaml").write_text(dump_objects([dict(document)]))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    status, out, err = machine.call("run", "e.yaml", "--output", "json", PATH=path)
    assert status == 0, err

    best = json.loads(out)["status"]["currentOptimalTrial"]
    values = {p["name"]: p["value"] for p in best["parameterAssignments"]}
    layers = json.loads(values["architecture"])
    config = json.loads(values["nn_config"].replace("'", '"'))
    [metric] = best["observation"]["metrics"]

    assert [len(layer) for layer in layers] == [1, 2, 3]
    assert config["embedding"].keys() == {str(layer[0]) for layer in layers}
    assert 0 < float(metric["max"]) < 1
