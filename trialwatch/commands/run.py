"""Run an experiment on this machine, or continue one that was started here.

Each trial's job runs as processes: its own command and the collector, without a container image.
The experiment is stored below --state-dir. To continue it, run the same command again; larger
counts in the file extend it. While no trial has a result, any field may be corrected, and the
trials run again. Ctrl-C ends all processes; a second Ctrl-C kills them at once.
Exit status: 0 succeeded, 1 failed or without an optimal trial, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from api.errors import UserError
from api.objects.experiments import render_experiment
from api.objects.validation import warnings_of
from api.objects.yamlout import dump_objects
from api.types import ConditionType, holds
from runner.commands.container_commands import CommandFaults
from runner.experiments import LoadedExperiment, read_examined
from runner.options import RunOptions
from runner.state.directory import DEFAULT, StateDirectory, state_of
from serving.logs import start_plain_logging
from trialwatch.admission.dry_run import first_pod, first_trial_of
from trialwatch.checks.preflight import command_faults, refuse, warn_of_commands
from trialwatch.checks.unseen_metrics import unseen_metrics
from trialwatch.command_line.arguments import whole_number
from trialwatch.command_line.input_file import read_input, shown_input
from trialwatch.own_program.program_check import line_for_a_script
from trialwatch.screens.run_pages import run_pages
from trialwatch.screens.run_watcher import Check, RunWatcher, summary_at
from trialwatch.screens.screen import OpenScreen, terminal_screen
from trialwatch.screens.terminal import own_console
from trialwatch.view.closing import Commands
from ui.model.experiment_summary import ExperimentSummary

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

_FAILED, _INTERRUPTED = 1, 130

EXAMPLES = """\
examples:
    trialwatch run experiment.yaml --parallel 2
    trialwatch run experiment.yaml --dry-run
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "experiment",
        metavar="EXPERIMENT.yaml",
        help="the file with the Experiment, or - for standard input",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="print the pod of the first trial as YAML, and start nothing",
    )
    parser.add_argument(
        "--no-check",
        action="store_true",
        help="start the trials even if their program or script is not found",
    )
    parser.add_argument(
        "--mlflow",
        action="store_true",
        help="collect what the trials log to MLflow, as with the annotation trialwatch.dev/mlflow",
    )
    add_run_arguments(parser)


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of every command that runs an experiment."""
    parser.add_argument(
        "--parallel",
        type=whole_number,
        metavar="N",
        help="how many trials run at the same time, instead of parallelTrialCount",
    )
    parser.add_argument(
        "--enqueue",
        action="append",
        default=[],
        metavar="NAME=VALUE,...",
        help="values of the first trial, such as lr=0.1,layers=3; the search chooses those that are"
        " left out; repeated: of the second trial, and so on",
    )
    parser.add_argument(
        "--gpus",
        metavar="0,1|none",
        help="the GPUs for trials with resources.limits nvidia.com/gpu or amd.com/gpu (default:"
        " all that CUDA_VISIBLE_DEVICES allows); none: these trials run without GPUs",
    )
    parser.add_argument(
        "--pin",
        action="store_true",
        help="each trial runs on CPUs of its own, as many as its containers request",
    )
    parser.add_argument(
        "--database",
        metavar="URL",
        help="the database of the metrics: sqlite:///FILE, postgresql://... or mysql://..."
        " (default: a file in the experiment's state directory)",
    )
    parser.add_argument(
        "--state-dir",
        type=Path,
        default=DEFAULT,
        metavar="DIR",
        help=f"the directory that stores experiments, by namespace and name (default {DEFAULT})",
    )
    parser.add_argument(
        "--retry-failed",
        action="store_true",
        help="run failed trials again; the default if no trial has a result",
    )
    parser.add_argument(
        "--fresh",
        action="store_true",
        help="start anew; the stored trials are kept in a dated directory",
    )
    parser.add_argument(
        "--ui",
        action="store_true",
        help="show the run in a browser: print the address of its pages, which end with it",
    )
    parser.add_argument(
        "--open", action="store_true", help="with --ui: open the address in a browser"
    )
    parser.add_argument(
        "--output",
        default="text",
        metavar="text|json",
        help="json: standard output contains only the Experiment with its final status",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the experiment of a file; return the exit status."""
    check_run_arguments(arguments)
    name = arguments.experiment
    if line := line_for_a_script(name):
        raise UserError(f"{name} is a program, and not the file of an Experiment: write\n  {line}")
    given, faults = read_examined(
        read_input(name),
        shown_input(name),
        arguments.parallel,
        mlflow=arguments.mlflow,
        enqueue=arguments.enqueue,
    )
    if arguments.dry_run:
        refuse(faults, CommandFaults())
        return _show_first_pod(given)
    commands = CommandFaults()
    if not arguments.no_check:
        anew = bool(arguments.fresh or arguments.retry_failed or faults)
        commands = command_faults(given, _state(given, arguments), fresh=anew)
    refuse(faults, commands)
    again = ("trialwatch", "run", arguments.experiment, *_flags(arguments))
    return run_loaded(given, arguments, again)


def _show_first_pod(given: LoadedExperiment) -> int:
    warn_of_commands(given)
    for warning in warnings_of(given.experiment):
        print(f"trialwatch run: warning: {warning}", file=sys.stderr)
    trial = first_trial_of(given)
    values = ", ".join(f"{one.name}={one.value}" for one in trial.spec.assignments)
    print(f"trialwatch run: nothing is started; a first trial: {values}", file=sys.stderr)
    sys.stdout.write(dump_objects([first_pod(trial)]))
    return 0


def check_run_arguments(arguments: argparse.Namespace) -> None:
    """Check the values of the arguments that `add_run_arguments` has declared.

    Raises:
        UserError: a value cannot be used.
    """
    if arguments.output not in ("text", "json"):
        raise UserError(f"--output {arguments.output!r} is unknown: use text or json")
    if arguments.parallel is not None and arguments.parallel < 1:
        raise UserError(f"--parallel {arguments.parallel} is too small: use a number from 1")
    if arguments.open and not arguments.ui:
        raise UserError("--open needs --ui: it opens the address of the pages")
    if arguments.fresh and arguments.retry_failed:
        raise UserError(
            "--fresh and --retry-failed exclude each other: --fresh runs no stored trial again"
        )


def run_loaded(
    given: LoadedExperiment,
    arguments: argparse.Namespace,
    again: Sequence[str],
    check: Check | None = None,
    open_screen: OpenScreen = terminal_screen,
) -> int:
    """Run an experiment that has been read and checked; return the exit status.

    Args:
        given: the experiment.
        arguments: those that `add_run_arguments` has declared, and the name of the command.
        again: the command line that continues the experiment, for messages.
        check: looks at each new state of the run; it raises a UserError to end the run.
        open_screen: returns what shows the run, on a console.
    """
    # Takes 0.2 s: not for `--help`, nor for an experiment that is refused.
    from runner.start import run_experiment  # noqa: PLC0415

    command = arguments.command
    for warning in warnings_of(given.experiment):
        print(f"trialwatch {command}: warning: {warning}", file=sys.stderr)
    start_plain_logging(f"trialwatch {command}")
    state = _state(given, arguments)
    as_json = arguments.output == "json"
    options = RunOptions(
        database=arguments.database or "",
        command=tuple(again),
        fresh=arguments.fresh,
        retry_failed=arguments.retry_failed,
        gpus=arguments.gpus,
        pin=arguments.pin,
    )
    commands = Commands(again=options.line(), retry=options.line("--retry-failed"))
    with _pages(arguments), own_console(errors=as_json) as console:
        screen = open_screen(console)
        with screen:
            result = run_experiment(given, state, options, RunWatcher(screen, command, check))
        summary = summary_at(result.last, interrupted=result.interrupted)
        screen.close(summary, _report(summary, state, command), commands)
    for fault in unseen_metrics(result.last.experiment, result.last.trials):
        print(f"trialwatch {command}: warning: {fault}", file=sys.stderr)
    if as_json:
        print(json.dumps(render_experiment(result.last.experiment), ensure_ascii=False, indent=2))
    if result.interrupted:
        return _INTERRUPTED
    failed = holds(result.last.experiment.status.conditions, ConditionType.FAILED)
    return _FAILED if failed or summary.best is None else 0


@contextmanager
def _pages(arguments: argparse.Namespace) -> Iterator[None]:
    """Show the pages of `--ui` while the run is at work."""
    if not arguments.ui:
        yield
        return
    with run_pages(arguments.state_dir, open_browser=arguments.open) as address:
        print(f"trialwatch {arguments.command}: {address}", file=sys.stderr, flush=True)
        yield


def _state(given: LoadedExperiment, arguments: argparse.Namespace) -> StateDirectory:
    metadata = given.experiment.metadata
    return state_of(arguments.state_dir, metadata.namespace, metadata.name)


def _flags(arguments: argparse.Namespace) -> tuple[str, ...]:
    """Return those of the flags that a later run needs too."""
    flags: list[str] = []
    if arguments.parallel is not None:
        flags += ["--parallel", str(arguments.parallel)]
    for point in arguments.enqueue:
        flags += ["--enqueue", point]
    if arguments.gpus is not None:
        flags += ["--gpus", arguments.gpus]
    if arguments.pin:
        flags.append("--pin")
    if arguments.mlflow:
        flags.append("--mlflow")
    if arguments.database:
        flags += ["--database", arguments.database]
    if arguments.state_dir != DEFAULT:
        flags += ["--state-dir", str(arguments.state_dir)]
    return tuple(flags)


def _report(summary: ExperimentSummary, state: StateDirectory, command: str) -> str:
    """Write the report beside the objects; return its path, "" if it is not written."""
    if summary.best is None:
        return ""
    from trialwatch.view.report import report  # noqa: PLC0415 - importing plotly is slow

    try:
        state.report.write_text(report(summary), encoding="utf-8")
    except OSError as error:
        print(
            f"trialwatch {command}: cannot write the report {state.report}: {error.strerror}",
            file=sys.stderr,
        )
        return ""
    return str(state.report)
