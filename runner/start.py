"""Start a run: take the state directory for it, and give the directory back at its end."""

from __future__ import annotations

import asyncio
import sys

from api.errors import SetupError
from runner.app import Result, Run
from runner.experiments import LoadedExperiment
from runner.options import RunOptions
from runner.state.directory import StateDirectory
from runner.watcher import Watcher


def run_experiment(
    given: LoadedExperiment, state: StateDirectory, options: RunOptions, watcher: Watcher
) -> Result:
    """Run an experiment on this machine, or continue it.

    Raises:
        TrialwatchError: it cannot start or continue; its results so far are stored.
    """
    if sys.platform != "linux":
        raise SetupError(
            f"`trialwatch run` needs Linux, and this is {sys.platform}: use a virtual machine, or a"
            " container with Python"
        )
    state.make()
    with state.locked() as lock:
        return asyncio.run(_run(given, state, options, lock, watcher))


async def _run(
    given: LoadedExperiment,
    state: StateDirectory,
    options: RunOptions,
    lock: int,
    watcher: Watcher,
) -> Result:
    return await Run(state, given, options, watcher).run(lock)
