"""The flags of `trialwatch tune`, and the tuning request that they mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from api.errors import UserError
from api.types import (
    AlgorithmSpec,
    EarlyStoppingSpec,
    LogFormat,
    Objective,
    ObjectiveType,
)
from trialwatch.command_line.arguments import real_number, whole_number
from trialwatch.tuning.command import FILE, OFF, ON, Command
from trialwatch.tuning.experiment import usual_algorithm
from trialwatch.tuning.options import read_algorithm, read_params
from trialwatch.tuning.request import TRIALS, MetricsFile, TuningRequest
from trialwatch.tuning.space import list_space

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from trialwatch.tuning.space import Space

_OWN_FOLDER = "/srv/trialwatch-metrics"
"""The directory of the metrics file, if the program gets its path."""
_JSON = LogFormat.JSON.value


def add_tune_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags that describe a search."""
    parser.usage = (
        "trialwatch tune [--maximize METRIC | --minimize METRIC]\n"
        "                       --param NAME=SPACE ... [FLAG ...] -- PROGRAM [ARG ...]"
    )
    _add_search(parser)
    _add_metrics(parser)
    parser.add_argument(
        "--name",
        default="",
        metavar="NAME",
        help="the experiment's name (default: derived from the program and the search)",
    )
    _add_saving(parser)


def _add_saving(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--gpus-per-trial",
        type=whole_number,
        default=0,
        metavar="N",
        help="how many NVIDIA GPUs each trial has for itself (default 0: all see all)",
    )
    parser.add_argument(
        "--save",
        type=Path,
        metavar="FILE",
        help="write the Experiment into a file, for `trialwatch run` and `kubectl apply`, and run"
        " nothing",
    )
    parser.add_argument(
        "--image", default="", metavar="IMAGE", help="the program's image, for a cluster"
    )
    parser.add_argument("--force", action="store_true", help="replace the file if it exists")


def _add_search(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--maximize", metavar="METRIC", help="the metric that should be large")
    parser.add_argument("--minimize", metavar="METRIC", help="the metric that should be small")
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME=SPACE",
        help="a parameter and its range or list; may be repeated",
    )
    parser.add_argument(
        "--goal", type=real_number, metavar="NUMBER", help="end when the metric reaches this value"
    )
    parser.add_argument(
        "--trials",
        type=whole_number,
        default=TRIALS,
        metavar="N",
        help="how many trials run at most (default %(default)s)",
    )
    parser.add_argument(
        "--algorithm",
        metavar="NAME[:SETTING=VALUE...]",
        help="auto, random, grid, sobol, qmc, tpe, multivariate-tpe, cmaes, gp,"
        " bayesianoptimization, hyperband or pbt (default: grid if the trials suffice for all"
        " combinations, else tpe)",
    )
    parser.add_argument(
        "--seed", type=whole_number, metavar="N", help="a number that makes the search repeatable"
    )
    parser.add_argument(
        "--early-stopping",
        nargs="?",
        const="medianstop",
        metavar="NAME[:SETTING=VALUE...]",
        help="end bad trials early, such as asha (without a value: medianstop)",
    )


def _add_metrics(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--also",
        action="append",
        default=[],
        metavar="METRIC",
        help="another metric to show; may be repeated",
    )
    parser.add_argument(
        "--metrics-format",
        action="append",
        default=[],
        metavar="REGEX|JSON",
        help="how the metrics are printed, if not in a usual format: a pattern whose group 1 is the"
        " name and group 2 the value; JSON, with --file: one object for each line",
    )
    parser.add_argument(
        "--file",
        metavar="PATH",
        help="the file with the metrics, if not the output; {file} in the arguments is its path",
    )


def read_request(arguments: argparse.Namespace, command: Command) -> TuningRequest:
    """Return the request that the flags and the command mean.

    Raises:
        UserError: a flag is wrong or missing; says what to write.
    """
    spaces = {**read_params(arguments.param)}
    for switch in command.switches:
        spaces.setdefault(switch, list_space((ON, OFF)))
    formats = arguments.metrics_format
    return TuningRequest(
        command=command,
        spaces=spaces,
        objective=_objective(arguments),
        name=arguments.name,
        image=arguments.image,
        gpus=arguments.gpus_per_trial,
        algorithm=_algorithm(arguments, spaces),
        early_stopping=_early_stopping(arguments.early_stopping),
        trials=_from_one("--trials", arguments.trials),
        parallel=arguments.parallel,
        metrics_file=_metrics_file(arguments, command),
        filters=tuple(text for text in formats if text != _JSON),
    )


def _objective(arguments: argparse.Namespace) -> Objective:
    largest, smallest = arguments.maximize, arguments.minimize
    if largest and smallest:
        raise UserError(
            f"one metric decides: keep --maximize {largest} or --minimize {smallest}, and show the"
            " other metric with --also"
        )
    kind = ObjectiveType.MAXIMIZE if largest else ObjectiveType.MINIMIZE
    metric = largest or smallest or ""
    others = tuple(dict.fromkeys(name for name in arguments.also if name != metric))
    return Objective(
        type=kind if metric else ObjectiveType.UNKNOWN,
        goal=arguments.goal,
        metric=metric,
        additional=others,
    )


def _algorithm(arguments: argparse.Namespace, spaces: Mapping[str, Space]) -> AlgorithmSpec:
    text = arguments.algorithm or usual_algorithm(spaces, arguments.trials)
    name, settings = read_algorithm("--algorithm", text, arguments.seed)
    return AlgorithmSpec(name=name, settings=settings)


def _early_stopping(text: str | None) -> EarlyStoppingSpec | None:
    if text is None:
        return None
    name, settings = read_algorithm("--early-stopping", text)
    return EarlyStoppingSpec(name=name, settings=settings)


def _from_one(flag: str, number: int) -> int:
    if number < 1:
        raise UserError(f"{flag} {number} is too small: use a number from 1")
    return number


def _metrics_file(arguments: argparse.Namespace, command: Command) -> MetricsFile | None:
    as_json = _JSON in arguments.metrics_format
    if arguments.file is None:
        if as_json:
            raise UserError(
                "--metrics-format JSON needs --file PATH; in the output of a program, metrics in"
                " JSON are found by their names, without --metrics-format"
            )
        return None
    kind = LogFormat.JSON if as_json else LogFormat.TEXT
    file = Path(arguments.file)
    if FILE in command.placeholders:
        return MetricsFile(path=f"{_OWN_FOLDER}/{file.name}", format=kind)
    path = Path.cwd() / file
    if path.parent == Path.cwd() or path.parent in Path.cwd().parents:
        raise UserError(
            f"--file {file} is in {path.parent}, where trials would overwrite each other's file:"
            f" write {{file}} in the command where the program takes the path, or let the program"
            f" write to a directory of its own, such as --file metrics/{file.name}"
        )
    return MetricsFile(path=str(path), format=kind)
