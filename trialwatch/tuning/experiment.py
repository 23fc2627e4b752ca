"""The Experiment that a tuning request means."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from posixpath import basename
from typing import Final

from api.objects.defaults import PARALLEL_TRIALS
from api.objects.experiments import render_experiment_spec
from api.objects.validation import LONGEST_NAME
from api.types import (
    CollectorKind,
    CollectorSpec,
    Experiment,
    ExperimentSpec,
    Json,
    ObjectMeta,
    PathKind,
    TrialParameter,
    TrialTemplate,
)
from suggestion.core.search_space import space_of
from trialwatch.tuning.command import FILE, Command
from trialwatch.tuning.parameter_files import FOLDER, params_files_of, with_params_files
from trialwatch.tuning.request import TuningRequest
from trialwatch.tuning.space import Space

CONTAINER: Final = "training"
GPU: Final = "nvidia.com/gpu"
IMAGE_TO_SET: Final = "set-the-image-of-your-training"
"""The image in an Experiment without one. `trialwatch run` does not use images."""
_FAILED_TRIALS = 3
"""At least so many trials may fail; of many trials, half of them."""
UNBUFFERED: Final = "PYTHONUNBUFFERED"
GRID: Final = "grid"
_DIGITS = 6
# A template can only replace text, so a shell turns `{--amp}=on` into `--amp` and drops `...=off`.
_SWITCHES: Final = (
    "for word do shift; case $word in"
    " '{-'*'}=on') word=${word#?}; set -- \"$@\" \"${word%\\}=on}\" ;;"
    " '{-'*'}=off') ;;"
    ' *) set -- "$@" "$word" ;; esac; done; exec "$@"'
)
_SUFFIXES = (".py", ".sh", ".js", ".mjs", ".cjs", ".ts", ".rb", ".pl", ".r", ".jl", ".lua", ".php")


def build_experiment(request: TuningRequest) -> Experiment:
    """Return the Experiment, without defaults and without a namespace.

    Equal requests give equal Experiments. The name changes with the command and the search, but not
    with the number of trials; so the same search with more trials continues.

    Raises:
        UserError: a parameter cannot be written into a file of parameters.
    """
    spec = ExperimentSpec(
        parameters=request.parameters,
        objective=request.objective,
        algorithm=request.algorithm,
        early_stopping=request.early_stopping,
        collector=_collector(request),
        trial_template=_template(request),
    )
    name = request.name or f"{name_of(request.command)}-{_digest(spec)}"
    return Experiment(metadata=ObjectMeta(name=name), spec=_with_counts(spec, request))


def _with_counts(spec: ExperimentSpec, request: TuningRequest) -> ExperimentSpec:
    parallel = PARALLEL_TRIALS if request.parallel is None else request.parallel
    trials, fits = request.trials, request.parallel is None and request.gpus > 0
    size = _size(request.spaces)
    if request.algorithm.name == GRID and size is not None:
        trials = min(trials, size)
    return replace(
        spec,
        max_trial_count=trials,
        # With GPUs, as many run at the same time as fit on the machine.
        parallel_trial_count=None if fits else min(parallel, trials),
        max_failed_trial_count=min(max(_FAILED_TRIALS, trials // 2), trials),
    )


def usual_algorithm(spaces: Mapping[str, Space], trials: int) -> str:
    """Return `grid` if the trials suffice for the whole space, else `tpe`."""
    size = _size(spaces)
    return GRID if size is not None and size <= trials else "tpe"


def _size(spaces: Mapping[str, Space]) -> int | None:
    """Return how many combinations the spaces have; None: infinitely many, or unknown."""
    if not spaces:
        return None
    return space_of([space.parameter(name) for name, space in spaces.items()]).size


# -- the name -------------------------------------------------------------------------------


def program_of(command: Command) -> str:
    """Return a word for the program: `train` for `python train.py` and `python -m pkg.train`."""
    words = [basename(word) for word in command.words]
    scripts = [word for word in words if word.lower().endswith(_SUFFIXES)]
    if scripts:
        return scripts[0].rpartition(".")[0]
    if "-m" in words[:-1]:
        return words[words.index("-m") + 1].rpartition(".")[2]
    return words[0]


def name_of(command: Command) -> str:
    """Return a name for an Experiment, from the name of its program."""
    letters = re.sub(r"[^a-z0-9]+", "-", program_of(command).lower()).strip("-")
    if not letters[:1].isalpha():
        letters = f"tune-{letters}".rstrip("-")
    return letters[: LONGEST_NAME - _DIGITS - 1].rstrip("-")


def _digest(spec: ExperimentSpec) -> str:
    """Return digits that differ for other searches."""
    text = json.dumps(render_experiment_spec(spec), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


# -- metrics and job ------------------------------------------------------------------------


def _collector(request: TuningRequest) -> CollectorSpec | None:
    file = request.metrics_file
    if file is not None:
        return CollectorSpec(
            kind=CollectorKind.FILE,
            path=file.path,
            path_kind=PathKind.FILE,
            format=file.format,
            filters=request.filters,
        )
    if request.filters:
        return CollectorSpec(kind=CollectorKind.STDOUT, filters=request.filters)
    return None


def _template(request: TuningRequest) -> TrialTemplate:
    return TrialTemplate(
        primary_container_name=CONTAINER,
        trial_parameters=tuple(_trial_parameter(name) for name in request.spaces),
        trial_spec={
            "apiVersion": "batch/v1",
            "kind": "Job",
            # A training that fails fails again with the same parameters.
            "spec": {"backoffLimit": 0, "template": {"spec": _pod(request)}},
        },
    )


def _pod(request: TuningRequest) -> dict[str, Json]:
    files = params_files_of(request.command)
    paths = {file.placeholder: file.path for file in files}
    if request.metrics_file:
        paths[FILE] = request.metrics_file.path
    command = request.command.filled(
        lambda name: paths.get(name, f"${{trialParameters.{name}}}"),
        _for_kubelet,
        lambda flag, value: (f"{{{flag}}}={value}",),
    )
    words = command.words
    if request.command.switches:
        words = ("sh", "-c", _SWITCHES, "sh", *words)
    container: dict[str, Json] = {
        "name": CONTAINER,
        "image": request.image or IMAGE_TO_SET,
        "command": list(with_params_files(words, files, request.parameters)),
    }
    pod: dict[str, Json] = {"containers": [container], "restartPolicy": "Never"}
    variables = {**_unbuffered(command), **dict(command.variables)}
    if variables:
        container["env"] = [{"name": name, "value": text} for name, text in variables.items()]
    if request.gpus:
        container["resources"] = {"limits": {GPU: request.gpus}}
    if files:
        container["volumeMounts"] = [{"name": "parameters", "mountPath": FOLDER}]
        pod["volumes"] = [{"name": "parameters", "emptyDir": {}}]
    return pod


def _unbuffered(command: Command) -> dict[str, str]:
    """Let Python print each line at once, so that values show while a trial runs."""
    is_python = re.match(r"(?:python|pypy)[0-9.]*$", basename(command.words[0]))
    return {UNBUFFERED: "1"} if is_python else {}


def _trial_parameter(name: str) -> TrialParameter:
    return TrialParameter(name=name, reference=name)


def _for_kubelet(text: str) -> str:
    """Escape what the kubelet would expand: it reads `$$` as `$`, and `$(NAME)` as a variable."""
    return re.sub(r"(\$+)(?=\()|(\${2,})", lambda run: run[0] * 2, text)
