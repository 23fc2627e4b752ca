"""Fit an experiment to the devices of this machine, before anything starts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from api.documents import mapping_at
from api.errors import SpecError, UserError
from api.types import JsonObject
from runner.devices.capacity import capacity, faults_of
from runner.devices.discovery import Discovered, Machine, discover
from runner.devices.locks import Device
from runner.devices.needs import amounts_of
from runner.experiments import LoadedExperiment
from runner.jobs.job_spec import POD
from runner.options import RunOptions
from runner.pods.pod_resources import CPU, GPUS

_TEMPLATE = "spec.trialTemplate.trialSpec"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """An experiment that fits on this machine."""

    given: LoadedExperiment
    """With the number of trials that run at the same time."""
    found: Discovered
    note: str = ""
    """Why that number differs from the one that was given; "" if it does not."""

    def devices(self, *, pin: bool) -> dict[Device, str]:
        """Return the devices that trials have for themselves, each with the name of its lock."""
        counted = {kind: names for kind, names in self.found.pool.items() if kind != CPU or pin}
        return {
            (kind, name): self.found.numbers.get(name, name)
            for kind, names in counted.items()
            for name in names
        }


def fit(given: LoadedExperiment, options: RunOptions, machine: Machine) -> Fitted:
    """Find the devices that the trials need, and how many trials run at the same time.

    Raises:
        SpecError: one trial needs more devices than there are.
        UserError: --gpus cannot be used.
    """
    experiment = given.experiment
    template = experiment.spec.trial_template
    job = template.trial_spec if template else None
    if job is None:  # a ConfigMap has the template: its pods are known when they start
        kinds = [kind for kind in GPUS if kind in (given.template or "")]
        return Fitted(given=given, found=discover(kinds, options.gpus, machine))
    pod, path = _pod_of(job)
    found = _found(amounts_of(pod, path), options, machine)
    if faults := tuple(faults_of(pod, path, found, pin=options.pin)):
        raise SpecError(faults)
    spec = experiment.spec
    room = capacity(
        pod,
        spec.parallel_trial_count or 1,
        given.parallel_from,
        spec.max_trial_count,
        found,
        pin=options.pin,
    )
    spec = replace(spec, parallel_trial_count=room.parallel)
    fitted = replace(given, experiment=replace(experiment, spec=spec))
    return Fitted(given=fitted, found=found, note=room.reason)


def _found(kinds: Collection[str], options: RunOptions, machine: Machine) -> Discovered:
    if options.gpus is not None and not kinds:
        raise UserError(
            f"--gpus {options.gpus} has no effect, because no container needs a GPU: write"
            f" `resources: {{limits: {{{GPUS[0]}: 1}}}}` into the container, or leave the flag out"
        )
    return discover(kinds, options.gpus, machine)


def _pod_of(job: JsonObject) -> tuple[JsonObject, str]:
    """Return the pod of a job or of a bare Pod, and its path in the Experiment."""
    if (job.get("apiVersion"), job.get("kind")) == POD:
        return job, _TEMPLATE
    return mapping_at(job, "spec", "template"), f"{_TEMPLATE}.spec.template"
