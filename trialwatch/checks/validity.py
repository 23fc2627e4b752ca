"""Whether an object is valid: for a run on this machine, or by the answer of an API server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from api.algorithms import ALGORITHMS
from api.documents import text_at
from api.errors import Fault, SpecError
from api.objects.defaults import with_defaults
from api.objects.experiments import parse_experiment
from api.objects.suggestions import parse_suggestion
from api.objects.trials import parse_trial
from api.objects.validation import warnings_of
from api.types import Experiment, JsonObject
from runner.commands.experiment_commands import experiment_command_faults
from runner.experiments import examined, ignored_fields_in, search_faults, template_text
from trialwatch.admission.offline_admission import offline_verdict
from trialwatch.checks.preflight import this_host
from webhook.model.config import Config

_EXPERIMENT: Final = "Experiment"
_READERS: Final[dict[str, Callable[[JsonObject], object]]] = {
    "Trial": parse_trial,
    "Suggestion": parse_suggestion,
}
KINDS: Final = (_EXPERIMENT, *_READERS)
"""The kinds of objects that can be checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The result of a check of one object."""

    name: str
    """Such as `experiment random`."""
    summary: str
    """What a valid object contains, in a few words."""
    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAnswer:
    """What an API server says about one object."""

    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()


class ServerCheck(Protocol):
    """Lets an API server check objects, as if they were created or replaced."""

    def answers(self, documents: Sequence[JsonObject]) -> Sequence[ServerAnswer]:
        """Return an answer for each object; nothing is stored.

        Raises:
            SetupError: the account has no right to create them, or the cluster lacks Katib's kinds.
            Unavailable: the server does not answer.
        """


def verdict_here(document: JsonObject, others: Sequence[JsonObject]) -> Verdict:
    """Check an object for this machine; `others` are objects of the same file."""
    try:
        if document.get("kind") != _EXPERIMENT:
            _READERS[str(document.get("kind"))](document)
            return _verdict(document)
        experiment = parse_experiment(document)
    except SpecError as error:
        return _verdict(document, faults=error.faults)
    given, faults = examined(experiment, template_text(experiment, others))
    commands = experiment_command_faults(given, this_host())
    faults = (*faults, *commands.faults)
    notes = [*commands.warnings, *ignored_fields_in(given.experiment)]
    warnings = (*_of_a_cluster(document, others, faults), *(str(note) for note in notes))
    return _verdict(document, experiment=given.experiment, faults=faults, warnings=warnings)


def verdict_of_answer(document: JsonObject, answer: ServerAnswer) -> Verdict:
    """Return the verdict of an API server, with the faults of the algorithm's settings.

    The webhook does not check the settings; the search would refuse them later.
    """
    experiment, faults, warnings = None, answer.faults, answer.warnings
    if document.get("kind") == _EXPERIMENT and not faults:
        try:
            experiment = with_defaults(parse_experiment(document, unknown_fields=False))
        except SpecError as error:
            return _verdict(document, warnings=(*warnings, *map(str, error.faults)))
        algorithm = experiment.spec.algorithm
        if algorithm is not None and algorithm.name in ALGORITHMS:
            faults = tuple(search_faults(experiment))
    return _verdict(document, experiment=experiment, faults=faults, warnings=warnings)


def _of_a_cluster(
    document: JsonObject, others: Sequence[JsonObject], faults: Sequence[Fault]
) -> tuple[str, ...]:
    """Return the webhook's warnings, and as warnings what only a cluster refuses."""
    verdict = offline_verdict(document, others, Config())
    places = {fault.path for fault in faults}
    refused = [fault for fault in verdict.faults if fault.path not in places]
    known = {str(fault) for fault in faults}
    warnings = verdict.warnings
    if verdict.faults:
        experiment = with_defaults(parse_experiment(document))
        warnings = tuple(str(warning) for warning in warnings_of(experiment))
    return (
        *(warning for warning in warnings if warning not in known),
        *(f"a cluster refuses it: {fault}" for fault in refused),
    )


def _verdict(
    document: JsonObject,
    *,
    experiment: Experiment | None = None,
    faults: tuple[Fault, ...] = (),
    warnings: tuple[str, ...] = (),
) -> Verdict:
    name = text_at(document, "metadata", "name") or text_at(document, "metadata", "generateName")
    label = f"{str(document.get('kind')).lower()} {name or 'without a name'}"
    summary = label if experiment is None else f"{label}, {_contents(experiment)}"
    return Verdict(name=label, summary=summary, faults=faults, warnings=warnings)


def _contents(experiment: Experiment) -> str:
    spec = experiment.spec
    count = len(spec.parameters)
    parts = [f"{count} parameter{'' if count == 1 else 's'}"]
    if spec.nas_config is not None:
        parts = [f"networks of {spec.nas_config.graph.layers} layers"]
    if spec.algorithm is not None:
        parts.append(f"algorithm {spec.algorithm.name}")
    if spec.max_trial_count is not None:
        trials = "1 trial" if spec.max_trial_count == 1 else f"{spec.max_trial_count} trials"
        parts.append(f"at most {trials}")
    return ", ".join(parts)
