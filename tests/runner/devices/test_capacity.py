"""How many trials run at the same time, and which ones can never run here."""

from __future__ import annotations

from typing import Any

import pytest

from api.errors import SpecError, UserError
from api.objects.yamlout import dump_objects
from runner.experiments import read_text
from runner.fitting import Fitted, fit
from runner.options import RunOptions
from tests.runner.devices.machines import TWO_GPUS, machine
from tests.runner.experiment_runs import experiment

LIMITS = (
    "spec.trialTemplate.trialSpec.spec.template.spec.containers[0].resources.limits[nvidia.com/gpu]"
)


def asking(*, parallel: int | None = 3, **resources: Any) -> str:  # noqa: ANN401 - JSON
    """Return an experiment of 12 trials whose container has these resources."""
    document = experiment(maxTrialCount=12)
    if parallel is None:
        del document["spec"]["parallelTrialCount"]
    else:
        document["spec"]["parallelTrialCount"] = parallel
    [container] = containers_of(document)
    container["resources"] = resources
    return dump_objects([document])


def containers_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    job = document["spec"]["trialTemplate"]["trialSpec"]
    found: list[dict[str, Any]] = job["spec"]["template"]["spec"]["containers"]
    return found


def fitted(
    text: str,
    listed: str = "",
    *,
    flag: int | None = None,
    gpus: str | None = None,
    pin: bool = False,
    cpus: int = 4,
) -> Fitted:
    options = RunOptions(gpus=gpus, pin=pin)
    return fit(read_text(text, "e.yaml", flag), options, machine(listed, cpus=cpus))


def parallel(done: Fitted) -> int | None:
    return done.given.experiment.spec.parallel_trial_count


GPU: dict[str, Any] = {"limits": {"nvidia.com/gpu": 1}}
EIGHT = "".join(f"GPU {i}: NVIDIA H100 (UUID: GPU-{i})\n" for i in range(8))


@pytest.mark.parametrize(
    ("text", "listed", "flag", "runs", "note"),
    [
        (asking(**GPU), TWO_GPUS, None, 2, "2 at a time: each trial needs 1 GPU, and this machine has 2 GPUs (nvidia-smi)"),
        (asking(**GPU), EIGHT, None, 3, ""),
        (asking(parallel=None, **GPU), EIGHT, None, 8, "8 at a time: each trial needs 1 GPU, and this machine has 8 GPUs (nvidia-smi)"),
        (asking(parallel=None, limits={"nvidia.com/gpu": "4"}), EIGHT, None, 2, "2 at a time: each trial needs 4 GPUs, and this machine has 8 GPUs (nvidia-smi)"),
        (asking(**GPU), TWO_GPUS, 3, 3, "others wait: each trial needs 1 GPU, and this machine has 2 GPUs (nvidia-smi)"),
        (asking(**GPU), TWO_GPUS, 2, 2, ""),
        (asking(requests={"cpu": "1500m"}), "", None, 2, "2 at a time: each trial needs 2 CPUs, and this machine has 4 CPUs"),
        (asking(parallel=None, requests={"cpu": 1}), "", None, 3, ""),
        (asking(limits={"cpu": 64}), "", None, 1, "1 at a time: each trial needs 64 CPUs, and this machine has 4 CPUs"),
        (asking(requests={"cpu": 4}), "", 3, 3, ""),
        (asking(), TWO_GPUS, None, 3, ""),
        (asking(limits={"memory": "1Gi"}), TWO_GPUS, None, 3, ""),
    ],
)  # fmt: skip
def test_as_many_run_at_a_time_as_fit(
    text: str, listed: str, flag: int | None, runs: int, note: str
) -> None:
    done = fitted(text, listed, flag=flag)

    assert (parallel(done), done.note) == (runs, note)


@pytest.mark.parametrize(
    ("wanted", "listed", "fault"),
    [
        (3, TWO_GPUS, "Invalid value: 3: each trial needs 3 GPUs, and this machine has 2 GPUs (nvidia-smi): write 2 or less, or run without GPUs by --gpus none"),
        ("1", "", 'Invalid value: "1": a trial needs 1 GPU, and this machine has no NVIDIA GPU (no nvidia-smi, no /dev/nvidia0): run without GPUs by --gpus none, or name devices by --gpus 0,1'),
    ],
)  # fmt: skip
def test_more_gpus_than_there_are_is_refused_up_front_with_a_remedy(
    wanted: object, listed: str, fault: str
) -> None:
    with pytest.raises(SpecError) as refused:
        fitted(asking(limits={"nvidia.com/gpu": wanted}), listed)

    assert [(one.path, one.message) for one in refused.value.faults] == [(LIMITS, fault)]


def test_without_gpus_the_limit_has_no_effect() -> None:
    assert parallel(fitted(asking(**GPU), gpus="none")) == 3


def test_pinned_trials_cannot_share_cpus() -> None:
    with pytest.raises(SpecError, match="each trial needs 8 CPUs, and this machine has 4 CPUs: "):
        fitted(asking(requests={"cpu": 8}), pin=True)


def test_pinned_trials_that_do_not_fit_wait() -> None:
    done = fitted(asking(requests={"cpu": 2}), flag=3, pin=True)

    assert parallel(done) == 3
    assert done.note == "others wait: each trial needs 2 CPUs, and this machine has 4 CPUs"


def test_a_flag_without_effect_is_an_error() -> None:
    with pytest.raises(UserError, match="--gpus 0 has no effect, because no container needs a GPU"):
        fitted(asking(), TWO_GPUS, gpus="0")


def test_a_number_that_each_trial_chooses_is_known_only_then() -> None:
    chosen = asking(limits={"nvidia.com/gpu": "${trialParameters.lr}"})
    done = fitted(chosen, TWO_GPUS)

    assert parallel(done) == 3
    assert done.found.pool["nvidia.com/gpu"] == ("0", "1")


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("0.5", 'Invalid value: "0.5": must be a whole number of GPUs'),
        ("many", "is not a quantity"),
        ("-1", "must be a number from 0 to 1000000"),
        ("1e99", "must be a number from 0 to 1000000"),
    ],
)
def test_what_is_no_number_of_gpus_is_a_fault_of_the_file(amount: str, said: str) -> None:
    with pytest.raises(SpecError) as refused:
        read_text(asking(limits={"nvidia.com/gpu": amount}), "e.yaml")

    [fault] = refused.value.faults
    assert fault.path == LIMITS
    assert said in fault.message
