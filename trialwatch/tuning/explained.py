"""The comments in an Experiment's file: what each block means, and what the user should check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from api.types import Experiment
from trialwatch.tuning.commented import Path
from trialwatch.tuning.experiment import IMAGE_TO_SET, UNBUFFERED

CHECK: Final = "CHECK: "
"""Marks what is guessed."""
_TEMPLATE: Final = ("spec", "trialTemplate")
_CONTAINER: Final = (*_TEMPLATE, "trialSpec", "spec", "template", "spec", "containers", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileNotes:
    """What the comments mention."""

    file: str
    """The name of the file."""
    command: str
    """The user's command, as a line for a shell."""
    image: str = ""
    guessed_metric: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)
    """By name: what the user should check about a guessed parameter."""
    kept: tuple[str, ...] = ()
    """Flags whose values do not change."""


def explain(experiment: Experiment, notes: FileNotes) -> dict[Path, list[str]]:
    """Return the comments of an Experiment, by their places."""
    comments: dict[Path, list[str]] = {
        (): _top(notes),
        ("spec", "objective"): _objective(experiment, notes),
        ("spec", "algorithm"): [
            "How to search: auto, random, grid, sobol, qmc, tpe, multivariate-tpe, cmaes, gp,",
            "bayesianoptimization, hyperband or pbt. trialwatch checks their settings",
            "(docs/algorithms.md).",
        ],
        ("spec", "parallelTrialCount"): [
            "How many trials run at the same time, how many in all, and how many may fail.",
        ],
        ("spec", "metricsCollectorSpec"): ["Where the metrics are, and their format."],
        ("spec", "parameters"): [
            "What to search. An int or a double has min and max, and perhaps a step; a categorical",
            "or a discrete parameter has a list. logUniform suits ranges over orders of magnitude.",
        ],
        _TEMPLATE: [
            "Each trial is this Job. trialwatch run starts its command as a process on this",
            "machine; a cluster starts it in the image.",
        ],
        (*_CONTAINER, "image"): _image(notes),
        (*_CONTAINER, "command"): _command(notes, switches=_has(experiment, "for word do shift")),
        (*_CONTAINER, "env"): [
            f"{UNBUFFERED} lets Python print each line at once: values show while a trial runs.",
        ],
        (*_TEMPLATE, "trialParameters"): [
            "Which parameter (reference) replaces which ${trialParameters.NAME} above.",
        ],
        (*_TEMPLATE, "primaryContainerName"): ["The container whose output has the metrics."],
    }
    if not _has(experiment, UNBUFFERED):
        del comments[*_CONTAINER, "env"]
    for index, parameter in enumerate(experiment.spec.parameters):
        if parameter.name in notes.parameters:
            text = f"{CHECK}{notes.parameters[parameter.name]}"
            comments["spec", "parameters", index] = [text]
    return comments


def _top(notes: FileNotes) -> list[str]:
    lines = [
        "Find better parameters for this program:",
        f"    {notes.command}",
        "",
        f"    trialwatch run {notes.file}      run the trials on this machine, or continue them",
        f"    kubectl apply -f {notes.file}    run them on a cluster",
    ]
    if notes.parameters or notes.guessed_metric or not notes.image:
        lines += [
            "",
            f"Lines with {CHECK.strip(': ')} need your eyes: correct them, or leave them.",
        ]
    return lines


def _objective(experiment: Experiment, notes: FileNotes) -> list[str]:
    metric = experiment.spec.objective.metric if experiment.spec.objective else ""
    check = CHECK if notes.guessed_metric else ""
    lines = [
        f"{check}The metric that decides, as the program prints it, such as {metric}=0.25.",
        "goal: 0.95 would end the search when a trial reaches 0.95.",
    ]
    if notes.guessed_metric:
        lines += ["This command shows the metrics:", f"    trialwatch tune -- {notes.command}"]
    return lines


def _image(notes: FileNotes) -> list[str]:
    if notes.image:
        return ["The image with the program, for a cluster."]
    return [
        f"{CHECK}The image with the program, for a cluster; trialwatch run does not use it.",
        f"Replace {IMAGE_TO_SET} before kubectl apply.",
    ]


def _command(notes: FileNotes, *, switches: bool) -> list[str]:
    lines = ["In each trial, a value replaces each ${trialParameters.NAME}."]
    if switches:
        lines.append("The shell turns {--FLAG}=on into --FLAG, and leaves {--FLAG}=off out.")
    if notes.kept:
        lines.append(f"These stay as they are: {', '.join(notes.kept)}.")
    return lines


def _has(experiment: Experiment, text: str) -> bool:
    template = experiment.spec.trial_template
    return template is not None and text in str(template.trial_spec)
