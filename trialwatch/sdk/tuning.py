"""`trialwatch.tune`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from signal import Signals

from trialwatch.sdk.child import ERROR, Ending, search
from trialwatch.sdk.display import display_here
from trialwatch.sdk.errors import TuneError
from trialwatch.sdk.functions import (
    DEFAULT_STATE_DIR,
    TrainFunction,
    check_arguments,
    store_function,
)
from trialwatch.sdk.results import Result, result_of
from trialwatch.sdk.spaces import Space, check_space, decoder_of
from trialwatch.sdk.words import Options, program_words, tune_words


def tune(  # noqa: PLR0913 - each is a flag of the command line
    program: str | Sequence[object] | TrainFunction,
    space: Mapping[str, Space],
    *,
    maximize: str | None = None,
    minimize: str | None = None,
    trials: int | None = None,
    parallel: int | None = None,
    gpus: str | None = None,
    gpus_per_trial: int | None = None,
    pin: bool = False,
    goal: float | None = None,
    also: Sequence[str] = (),
    algorithm: str | None = None,
    enqueue: Sequence[str] = (),
    seed: int | None = None,
    early_stopping: str | None = None,
    metrics_format: str | Sequence[str] = (),
    file: str | PathLike[str] | None = None,
    name: str | None = None,
    state_dir: str | PathLike[str] | None = None,
    database: str | None = None,
    fresh: bool = False,
    retry_failed: bool = False,
) -> Result:
    """Find the best parameters of a program or a function, on this machine.

    The same call continues an interrupted search, and more `trials` extend it; a changed function,
    command or space is another search. Ctrl-C, or interrupting the kernel, ends the search and
    returns the result so far.

    Args:
        program: a command with `{NAME}` in the place of each value, as one line or as a list of
            words; or a function that takes the parameters by name. A function runs in a process of
            its own for each trial, prints metrics with `trialwatch.report`, and may return a number
            (the objective) or a dict of metrics.
        space: the values of each parameter: `(0.001, 0.1)`, `range(2, 6)`, `["adam", "sgd"]`,
            `trialwatch.Float(1e-4, 1, log=True)`, `trialwatch.Int(1, 9)`, or a text as on the
            command line, `"0.001..0.1:log"`.
        maximize: the metric that should be large.
        minimize: the metric that should be small; one of both is needed.
        trials: how many trials run at most; 20 if not given.
        parallel: how many trials run at the same time; 3 if not given.
        gpus: the GPUs for trials, such as "0,1"; all that are visible if not given.
        gpus_per_trial: how many GPUs each trial has for itself; 0 if not given: all see all.
        pin: each trial runs on CPUs of its own, as many as its containers request.
        goal: the search ends when the metric reaches this value.
        also: other metrics to collect.
        algorithm: `tpe`, `random`, `grid`, `sobol`, `cmaes`, ..., with settings `tpe:gamma=0.3`.
        enqueue: points that are tried first, such as `["lr=0.1,layers=3"]`.
        seed: makes the search repeatable.
        early_stopping: ends bad trials early: `medianstop` or `asha`, perhaps with settings.
        metrics_format: a pattern, or several, if metrics are not printed in a usual form: group 1
            is the name, group 2 the value; or `JSON`, together with `file`.
        file: the file into which the program writes its metrics, if not to its output.
        name: the experiment's name; by default it is made from the program and the search.
        state_dir: the directory that stores experiments; `.trialwatch` if not given.
        database: the URL of another database for the metrics.
        fresh: starts anew; the stored trials are kept in a dated directory.
        retry_failed: runs failed trials again.

    Returns:
        The best trial, and all trials.

    Raises:
        TuneError: an argument is wrong, or no trial has a value of the metric.
        KeyboardInterrupt: it was interrupted before the search began.
    """
    options = Options(
        maximize=maximize,
        minimize=minimize,
        trials=trials,
        parallel=parallel,
        gpus=gpus,
        gpus_per_trial=gpus_per_trial,
        pin=pin,
        goal=goal,
        also=also,
        algorithm=algorithm,
        enqueue=enqueue,
        seed=seed,
        early_stopping=early_stopping,
        metrics_format=metrics_format,
        file=file,
        name=name,
        state_dir=state_dir,
        database=database,
        fresh=fresh,
        retry_failed=retry_failed,
    )
    check_space(space)
    words = tune_words(_program(program, space, options), space, options)
    display = display_here()
    ending = search(words, display.output, display.show)
    return _result(ending, space)


def _program(
    program: str | Sequence[object] | TrainFunction, space: Mapping[str, Space], options: Options
) -> tuple[str, ...]:
    metric = options.metric
    if not callable(program):
        return program_words(program)
    check_arguments(program, space)
    folder = DEFAULT_STATE_DIR if options.state_dir is None else Path(options.state_dir)
    return store_function(program, space, metric, folder)


def _result(ending: Ending, space: Mapping[str, Space]) -> Result:
    message = ending.message
    if message is None and ending.interrupted:
        raise KeyboardInterrupt
    if message is None:
        how = (
            f"was killed by {Signals(-ending.status).name}"
            if ending.status < 0
            else f"ended with status {ending.status}; its last lines say why"
        )
        raise TuneError(f"the process that searches {how}: call tune again to continue")
    if message["event"] == ERROR:
        raise TuneError(message["text"])
    result = result_of(message, {name: decoder_of(one) for name, one in space.items()})
    if result.best is None and result.state != "interrupted":
        raise TuneError(message["without_best"])
    return result
