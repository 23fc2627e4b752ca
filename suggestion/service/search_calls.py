"""The calls of Katib's service `Suggestion`, from bytes to bytes: decode, search, encode.

Nothing is kept between two calls. If a search is random and the experiment has no `random_state`, a
seed is chosen and returned in the reply, as Katib allows: the controller stores it in the
Suggestion's status and sends it with each later request.

A search can run out of points (`grid`). Then the reply has fewer points than requested, and later
replies have none.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

from google.protobuf.message import DecodeError, Message

from api.errors import UserError
from api.types import AlgorithmSpec, Experiment, Setting
from api.v1beta1 import api_pb2 as pb
from api.wire.experiments import algorithm_to_wire, experiment_from_wire
from api.wire.trials import suggested_to_wire, trial_from_wire
from serving.logs import get_logger
from suggestion.core.algorithm import RANDOM_STATE, Proposal
from suggestion.core.search_task import check_settings, search_task_of
from suggestion.service.checkpoints import Checkpoints, Naming, with_checkpoints
from suggestion.service.katib_requests import completed
from suggestion.service.searches import MOST_BYTES, Began

_log = get_logger(__name__)

MOST_POINTS: Final = 10_000
"""Of one request; a larger number is a mistake."""
MOST_TRIALS: Final = 1_000_000
"""Of one experiment; a larger number is a mistake."""
MOST_SENT_TRIALS: Final = 25_000
"""In one request."""

_M = TypeVar("_M", bound=Message)
Tell = Callable[[Began], None]


def _any_seed() -> int:
    return secrets.randbits(31)


def get_suggestions(
    encoded: bytes,
    began: Tell,
    checkpoints: Path | None = None,
    any_seed: Callable[[], int] = _any_seed,
) -> bytes:
    """Choose the parameters of the next trials.

    Args:
        encoded: a `GetSuggestionsRequest`.
        began: called before the search, with what it is busy with.
        checkpoints: where trials have their directories, if their algorithm needs some.
        any_seed: returns the seed of an experiment without one.

    Raises:
        UserError: the request is wrong.
        SetupError: the algorithm's package is broken, or a trial gets no directory.
    """
    request = _decoded(pb.GetSuggestionsRequest, encoded)
    count = _count(request)
    experiment = experiment_from_wire(request.experiment)
    began(_began(experiment, trials=len(request.trials), points=count))
    trials = tuple(map(trial_from_wire, request.trials))
    task = search_task_of(completed(experiment.spec, trials), admitted=True)
    seed = task.seed
    if seed is None:
        seed = any_seed() if task.seeded else 0
    earlier = max(request.total_request_number - count, len(trials))
    proposal = task.propose(trials, earlier, count, seed)
    if task.has_checkpoints:
        # A trainer's pod may have another user than this service.
        where = Checkpoints(folder=checkpoints, shared=True) if checkpoints else None
        naming = Naming(
            experiment=experiment.metadata.name,
            first=earlier,
            seed=seed,
            existing={trial.metadata.name for trial in trials},
        )
        proposal = with_checkpoints(proposal, naming, where)
    new_seed = seed if task.seed is None and task.seeded else None
    _log.info(
        "suggested",
        experiment=experiment.metadata.name,
        algorithm=_algorithm(experiment) or None,
        trials=len(trials),
        requested_before=earlier,
        requested=count,
        suggested=len(proposal.trials),
    )
    reply = _reply(experiment, proposal, new_seed).SerializeToString()
    if len(reply) > MOST_BYTES:
        raise UserError(
            f"current_request_number: {count} points of this experiment have {len(reply)} bytes,"
            f" more than {MOST_BYTES}; ask for fewer points at a time (spec.parallelTrialCount)"
        )
    return reply


def validate_algorithm_settings(encoded: bytes, began: Tell) -> bytes:
    """Refuse an experiment with faults; the error has all of them.

    Objective and parameters may be missing: then only the algorithm and its settings are checked.

    Raises:
        UserError: the request or the experiment is wrong.
        SetupError: the algorithm's package is broken.
    """
    request = _decoded(pb.ValidateAlgorithmSettingsRequest, encoded)
    experiment = experiment_from_wire(request.experiment)
    began(_began(experiment, trials=0, points=0))
    check_settings(completed(experiment.spec, ()))
    return pb.ValidateAlgorithmSettingsReply().SerializeToString()


Calls = Mapping[str, Callable[[bytes, Tell], bytes]]


def calls(checkpoints: Path | None) -> Calls:
    """Return each method of the service, by its name on the wire."""
    return MappingProxyType(
        {
            "GetSuggestions": partial(get_suggestions, checkpoints=checkpoints),
            "ValidateAlgorithmSettings": validate_algorithm_settings,
        }
    )


CALLS: Final = calls(None)
"""The methods of a service without checkpoints."""


def _decoded(kind: type[_M], encoded: bytes) -> _M:
    message = kind()
    try:
        message.ParseFromString(encoded)
    except DecodeError:
        name = kind.DESCRIPTOR.full_name
        raise UserError(f"the request is not a message {name}; send one in protobuf") from None
    return message


def _count(request: pb.GetSuggestionsRequest) -> int:
    count = request.current_request_number
    if not 0 <= count <= MOST_POINTS:
        raise UserError(f"current_request_number: {count}; send a number from 0 to {MOST_POINTS}")
    total = request.total_request_number
    if not 0 <= total <= MOST_TRIALS:
        raise UserError(f"total_request_number: {total}; send a number from 0 to {MOST_TRIALS}")
    sent = len(request.trials)
    if sent > MOST_SENT_TRIALS:
        raise UserError(f"trials: {sent} trials; send at most {MOST_SENT_TRIALS}")
    return count


def _began(experiment: Experiment, *, trials: int, points: int) -> Began:
    return Began(
        experiment=experiment.metadata.name[:253],
        algorithm=_algorithm(experiment)[:80],
        trials=trials,
        points=points,
    )


def _algorithm(experiment: Experiment) -> str:
    return experiment.spec.algorithm.name if experiment.spec.algorithm else ""


def _reply(
    experiment: Experiment, proposal: Proposal, new_seed: int | None
) -> pb.GetSuggestionsReply:
    settings = proposal.settings
    if new_seed is not None:
        settings = (*settings, Setting(name=RANDOM_STATE, value=str(new_seed)))
    algorithm = None
    if settings and experiment.spec.algorithm is not None:
        algorithm = algorithm_to_wire(
            AlgorithmSpec(name=experiment.spec.algorithm.name, settings=settings)
        )
    return pb.GetSuggestionsReply(
        parameter_assignments=map(suggested_to_wire, proposal.trials), algorithm=algorithm
    )
