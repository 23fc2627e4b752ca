"""Start a run: take the state directory for it, and leave no directory of a run that is refused."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import sys
from datetime import datetime
from pathlib import Path

from api.errors import SetupError, TrialwatchError, UserError
from api.objects.experiments import parse_experiment
from runner.app import Result, Run
from runner.devices.discovery import Machine, list_gpus
from runner.experiments import NAMESPACE, LoadedExperiment
from runner.fitting import Fitted, fit
from runner.options import RunOptions
from runner.parts import RunPlan
from runner.resuming import Differs, must_start_anew
from runner.state.directory import DEFAULT, StateDirectory
from runner.state.documents import read_document
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
    machine = Machine(environ=os.environ, list_gpus=lambda: list_gpus(os.environ))
    fitted = fit(given, options, machine)
    _clear(fitted.given, state, options, watcher)
    is_new = not state.path.exists()
    state.make()
    with state.locked() as lock:
        try:
            return asyncio.run(_run(fitted, state, options, lock, watcher))
        except Differs as fault:
            raise UserError(f"{fault}\n{_ways_out(state, options)}") from None
        except (OSError, TrialwatchError):
            _check(state, lock)
            if is_new and not any(state.trials.glob("*.yaml")):
                state.remove()
            raise


async def _run(
    fitted: Fitted, state: StateDirectory, options: RunOptions, lock: int, watcher: Watcher
) -> Result:
    plan = RunPlan(state=state, fitted=fitted, options=options, watcher=watcher)
    return await Run(plan).run(lock)


def _check(state: StateDirectory, lock: int) -> None:
    """Raise SetupError if the directory was deleted, and delete what was written since then."""
    try:
        state.check(lock)
    except SetupError:
        if not state.is_at_work():  # else another run has begun there
            shutil.rmtree(state.path, ignore_errors=True)
        raise


def _clear(
    given: LoadedExperiment, state: StateDirectory, options: RunOptions, watcher: Watcher
) -> None:
    """Move a stored experiment aside, if the user wants it, or if nothing of it can be used."""
    if not state.experiment.exists():
        return
    with state.locked():
        document = None if options.fresh else read_document(state.experiment)
        if document is not None:
            stored = parse_experiment(document, unknown_fields=False)
            if not must_start_anew(stored, given.experiment):
                return
        if not any(state.trials.glob("*.yaml")):
            state.remove()
            return
        aside = state.move_aside(datetime.now().astimezone())
    why = "" if options.fresh else ", because the search has changed and no trial has a result"
    watcher.tell(
        f"experiment {state.path.name} starts anew{why}; the earlier trials are in"
        f" {_shown(aside.path)}"
    )


def _ways_out(state: StateDirectory, options: RunOptions) -> str:
    """Return the lines after which the experiment of the file runs."""
    root, namespace, name = state.path.parents[1], state.path.parent.name, state.path.name
    delete = ["trialwatch", "delete", f"experiment/{name}"]
    if namespace != NAMESPACE:
        delete += ["-n", namespace]
    if root != Path.cwd() / DEFAULT:
        delete += ["--state-dir", _shown(root)]
    return (
        f"  to start anew, and keep the stored trials beside it: {options.line('--fresh')}\n"
        f"  to delete the stored trials: {shlex.join(delete)}"
    )


def _shown(path: Path) -> str:
    """Return a path as a user of the current directory writes it."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
