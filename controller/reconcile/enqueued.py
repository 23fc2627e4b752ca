"""Hand-chosen points: they take the places of the first points that the search returns.

The search is asked as for any other trial, so that its settings are checked and its trials get
their names, labels and checkpoints. Then it learns from the enqueued points like from its own,
because a search looks only at the history.
"""

from __future__ import annotations

from dataclasses import replace

from api.names import ENQUEUED_LABEL
from api.objects.enqueued import enqueued_points
from api.types import Assignment, Experiment, SuggestedTrial
from controller.reconcile.views import SuggestionReply


def count_to_ask(experiment: Experiment, asked: int, missing: int) -> int:
    """Return for how many trials to ask: never for enqueued ones together with others.

    Otherwise the search would choose the others without the enqueued ones in its history.

    Args:
        experiment: with the annotation, or without.
        asked: how many trials the search has returned so far.
        missing: how many trials may be created now, from 1.
    """
    left = len(enqueued_points(experiment)) - asked
    return min(missing, left) if left > 0 else missing


def with_enqueued(experiment: Experiment, reply: SuggestionReply, asked: int) -> SuggestionReply:
    """Return the reply with the values of the enqueued points; `asked` as in `count_to_ask`."""
    points = enqueued_points(experiment)[asked:]
    if not points:
        return reply
    first = (_with_values(trial, point) for trial, point in zip(reply.trials, points, strict=False))
    return replace(reply, trials=(*first, *reply.trials[len(points) :]))


def _with_values(trial: SuggestedTrial, point: tuple[Assignment, ...]) -> SuggestedTrial:
    values = {one.name: one.value for one in point}
    return replace(
        trial,
        assignments=tuple(
            replace(one, value=values.get(one.name, one.value)) for one in trial.assignments
        ),
        labels={**trial.labels, ENQUEUED_LABEL: "true"},
    )
