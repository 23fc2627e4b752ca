"""The parts of a run, from its start to its end: store, processes, jobs, and the driver."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from api.types import Trial
from controller.background import background_tasks
from controller.driver.driver import Driver
from controller.driver.ports import Ports
from controller.live_judge import LiveJudge
from controller.over_grpc.channels import dial
from controller.over_grpc.trial_points import RemoteTrialPoints
from controller.reconcile.views import Key, Policy
from runner.database import StoredObservations, database
from runner.devices.leases import DeviceLeases
from runner.devices.locks import open_locks, usual_folder
from runner.early_stopping import early_stopping
from runner.fitting import Fitted
from runner.jobs.local_jobs import LocalJobs
from runner.jobs.run_context import RunContext
from runner.options import RunOptions
from runner.pods.container_launch import Machine
from runner.pods.own_programs import launcher_program
from runner.pods.spawner_client import SpawnerClient, start_spawner
from runner.search import LocalSuggestions
from runner.sockets import socket_directory
from runner.state.directory import StateDirectory
from runner.state.objects import FileObjects
from runner.watcher import Warnings, Watcher
from webhook.model.config import Config

_POLICY = Policy(
    metrics_grace=timedelta(seconds=10),
    metrics_poll=timedelta(milliseconds=100),
    live_interval=timedelta(seconds=5),  # for `trialwatch get`; the table reads the store
)
"""The store is in this process: what it does not have by now, it will not get."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """What a run works on, and what it reports to."""

    state: StateDirectory
    fitted: Fitted
    options: RunOptions
    watcher: Watcher


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What works for a run until its end."""

    driver: Driver
    jobs: LocalJobs
    observations: StoredObservations
    spawner: SpawnerClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Callbacks:
    """What the parts call."""

    job_changed: Callable[[Trial], None]
    """Takes the trial whose job has changed."""
    stop_early: Callable[[str], Awaitable[None]]
    """Takes the name of a trial that its collector wants to stop."""
    stop_by_rule: Callable[[Key, str], Awaitable[None]]
    """Takes a trial that a rule wants to stop, and why."""


@asynccontextmanager
async def started_parts(
    plan: RunPlan, objects: FileObjects, callbacks: Callbacks, lock: int
) -> AsyncIterator[Parts]:
    """Start the parts; at the end, end the jobs and stop all; the next run resumes the jobs.

    Args:
        plan: of the run.
        objects: its experiment, suggestion and trials.
        callbacks: what the parts call while they work.
        lock: the descriptor of the state's lock; the spawner holds it too, as long as it lives.
    """
    state, options, watcher = plan.state, plan.options, plan.watcher
    async with AsyncExitStack() as stack:
        url = options.database or f"sqlite:///{state.database}"
        sockets = stack.enter_context(socket_directory(state.path))
        store = await stack.enter_async_context(database(url, sockets))
        stop_service = await stack.enter_async_context(
            early_stopping(callbacks.stop_early, sockets)
        )
        devices = plan.fitted.devices(pin=options.pin)
        locks = stack.enter_context(open_locks(devices, usual_folder(os.environ)))
        if locks.problem:
            watcher.warn(locks.problem)
        held = (lock, *locks.descriptors)
        spawner = await stack.enter_async_context(start_spawner(str(state.pods), hold=held))
        worker = stack.enter_context(ThreadPoolExecutor(1, "search"))
        context = RunContext(
            spawner=spawner,
            machine=_machine(spawner, stop_service),
            config=Config(db_manager=store.address),
            checkpoints=state.checkpoints,
            tell=watcher.tell,
            devices=DeviceLeases(plan.fitted.found, pin=options.pin, locks=locks),
        )
        jobs = LocalJobs(state, context, lambda: objects.stored_suggestion, callbacks.job_changed)
        observations = StoredObservations(store.store)
        channel = await stack.enter_async_context(dial(store.address))
        judge = LiveJudge(RemoteTrialPoints(channel), callbacks.stop_by_rule)
        ports = Ports(
            objects=objects,
            jobs=jobs,
            observations=observations,
            suggestions=LocalSuggestions(worker, observations, state.checkpoints),
            events=Warnings(watcher.warn),
            judge=judge,
        )
        start = await stack.enter_async_context(background_tasks())
        _ = start(judge.run())
        driver = Driver(ports, random.Random(), _POLICY)  # noqa: S311 - names of trials
        try:
            yield Parts(driver=driver, jobs=jobs, observations=observations, spawner=spawner)
        finally:
            await jobs.leave()


def _machine(spawner: SpawnerClient, stop_service: str) -> Machine:
    return Machine(
        python=sys.executable,
        launcher=launcher_program(),
        environ=dict(os.environ),
        cwd=str(Path.cwd()),
        no_mounts=spawner.no_mounts,
        early_stopping=stop_service,
    )
