"""An experiment, a driver and in-memory ports; only the test moves the clock."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from api.objects.defaults import with_defaults
from api.types import (
    AlgorithmSpec,
    CollectorSpec,
    Experiment,
    ExperimentSpec,
    FeasibleSpace,
    JsonObject,
    Objective,
    ObjectiveType,
    ObjectMeta,
    ParameterSpec,
    ParameterType,
    ResumePolicy,
    Suggestion,
    Trial,
    TrialParameter,
    TrialTemplate,
)
from controller.driver.driver import Driver
from controller.driver.memory import Memory
from controller.reconcile.trial_states import TrialState, state_of
from controller.reconcile.views import JobFacts, Key, MetricSummary, PodFacts, Policy, key_of

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
KEY = Key(namespace="ns", name="exp")

JOB: JsonObject = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "spec": {
        "template": {
            "spec": {
                "restartPolicy": "Never",
                "containers": [
                    {"name": "main", "image": "i", "args": ["--lr=${trialParameters.lr}"]}
                ],
            }
        }
    },
}


def template(**changes: object) -> TrialTemplate:
    plain = TrialTemplate(
        trial_spec=JOB,
        trial_parameters=(TrialParameter(name="lr", reference="lr"),),
        primary_container_name="main",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def experiment(
    *,
    goal: float | None = None,
    maximize: bool = False,
    name: str = "exp",
    namespace: str = "ns",
    uid: str = "uid-exp",
    **spec: object,
) -> Experiment:
    plain = ExperimentSpec(
        parameters=(
            ParameterSpec(
                name="lr", type=ParameterType.DOUBLE, space=FeasibleSpace(min="0", max="1")
            ),
        ),
        objective=Objective(
            type=ObjectiveType.MAXIMIZE if maximize else ObjectiveType.MINIMIZE,
            goal=goal,
            metric="loss",
        ),
        algorithm=AlgorithmSpec(name="random"),
        trial_template=template(),
        max_trial_count=4,
        parallel_trial_count=2,
        collector=CollectorSpec(),
        resume_policy=ResumePolicy.NEVER,
    )
    meta = ObjectMeta(name=name, namespace=namespace, uid=uid, labels={"team": "x"})
    return with_defaults(
        Experiment(metadata=meta, spec=replace(plain, **spec))  # type: ignore[arg-type]
    )


def job_with(document: JsonObject, kind: str, reason: str = "", message: str = "") -> JsonObject:
    """Return a job whose status has one more condition."""
    condition = {"type": kind, "status": "True", "reason": reason, "message": message}
    return {**document, "status": {"conditions": [condition]}}


def loss(*texts: str) -> tuple[MetricSummary, ...]:
    """Return the store's summary of a metric `loss` with these values."""
    numbers = [text for text in texts if text.lstrip("-").replace(".", "", 1).isdigit()]
    return (
        MetricSummary(
            name="loss",
            count=len(texts),
            first=texts[0],
            last=texts[-1],
            min=min(numbers, key=float, default=""),
            max=max(numbers, key=float, default=""),
        ),
    )


class ExperimentHarness:
    """In-memory ports, a clock and a driver."""

    def __init__(self, item: Experiment | None = None, policy: Policy | None = None) -> None:
        self.now = START
        self.memory = Memory(lambda: self.now)
        self.policy = policy or Policy()
        self.driver = Driver(self.memory.ports(), random.Random(1), self.policy)
        if item is not None:
            self.memory.objects.apply(item)

    async def settle(self, seconds: float = 0) -> datetime | None:
        """Move the clock, then carry out everything that is due."""
        self.now += timedelta(seconds=seconds)
        return await self.driver.settle(KEY, self.now)

    @property
    def experiment(self) -> Experiment:
        return self.memory.objects.experiments[KEY]

    @property
    def suggestion(self) -> Suggestion:
        return self.memory.objects.suggestions[KEY]

    @property
    def trials(self) -> list[Trial]:
        return list(self.memory.objects.all_trials.values())

    def in_state(self, state: TrialState) -> list[Trial]:
        return [trial for trial in self.trials if state_of(trial) is state]

    def succeed(self, trial: Trial, *texts: str, pods: PodFacts | None = None) -> None:
        """Let a trial's job succeed, with these values in the store."""
        if texts:
            self.memory.observations.metrics[key_of(trial)] = loss(*texts)
        self.end(trial, "Complete", pods=pods)

    def fail(self, trial: Trial, reason: str = "", message: str = "") -> None:
        """Let a trial's job fail."""
        self.end(trial, "Failed", reason, message)

    def end(
        self,
        trial: Trial,
        kind: str,
        reason: str = "",
        message: str = "",
        *,
        pods: PodFacts | None = None,
    ) -> None:
        jobs = self.memory.jobs
        document = jobs.facts[key_of(trial)].document
        assert document is not None
        jobs.facts[key_of(trial)] = JobFacts(
            document=job_with(document, kind, reason, message), pods=pods or PodFacts()
        )
