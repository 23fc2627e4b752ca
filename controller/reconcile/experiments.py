"""The life of an experiment: from what is known about it and its trials to what is due.

| the experiment | due |
|---|---|
| is being deleted | let it go |
| is new | the condition Created |
| is searching | recount; end it, or keep as many trials active as its budget allows |
| has ended | recount; end what still runs and the search; or go on, where its budget was raised |

A new trial takes three turns: the search is asked and its answer written down, the trial is
created under the name that was written down, and its entry is dropped when it is seen. Each turn
may be repeated, and none leads to a second trial.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from api.errors import SpecError
from api.names import EXPERIMENT_FINALIZER
from api.objects.validation_update import completed
from api.types import (
    ConditionType,
    Experiment,
    ExperimentStatus,
    Objective,
    ResumePolicy,
    Suggestion,
    Trial,
    holds,
)
from controller.reconcile import suggestions
from controller.reconcile.actions import (
    Action,
    AskSuggestions,
    CreateSuggestion,
    CreateTrial,
    DeleteTrial,
    EmitEvent,
    EventType,
    Release,
    RemoveService,
    WakeAt,
    WriteStatus,
)
from controller.reconcile.counting import as_history, best_of, is_goal_reached, with_counts
from controller.reconcile.creation import trial_of
from controller.reconcile.experiment_states import (
    can_restart,
    completion_of,
    failed_because,
    mark_completed,
    mark_created,
    mark_restarted,
    mark_running,
)
from controller.reconcile.trial_facts import (
    FactsOfTrials,
    TrialFacts,
    belongs_to,
    facts_of_trials,
    owner_uids,
)
from controller.reconcile.trial_states import end_trial, waiting_since
from controller.reconcile.views import ExperimentView, Policy

Actions = tuple[Action, ...]
Members = Sequence[TrialFacts]


def reconcile_experiment(
    view: ExperimentView, now: datetime, policy: Policy, known: FactsOfTrials = facts_of_trials
) -> Actions:
    """Say what is due for an experiment. Equal arguments give equal actions.

    `known` is `members_of`, or what gives the same and remembers it.
    """
    experiment = view.experiment
    if experiment.metadata.deletion_timestamp:
        held = EXPERIMENT_FINALIZER in experiment.metadata.finalizers
        return (Release(target=experiment),) if held else ()
    if not holds(experiment.status.conditions, ConditionType.CREATED):
        return (WriteStatus(target=mark_created(experiment, now)),)
    if completed(experiment) and can_restart(experiment):
        after = mark_restarted(experiment, now)
        told = EmitEvent(
            about=after, reason="ExperimentRestarting", message="Experiment is restarted"
        )
        return (WriteStatus(target=after), told)
    if view.suggestion is not None and not belongs_to(owner_uids(view.suggestion), experiment):
        # It is of an experiment of the same name that was deleted, and will go, too.
        return (WakeAt(moment=now + policy.metrics_poll),)
    members = [one for one in known(view.trials) if belongs_to(one.owners, experiment)]
    if completed(experiment):
        return tuple(_after_the_end(view, members, now, policy))
    return _searching(view, members, now, policy)


# -- while it searches ----------------------------------------------------------------------


def _searching(view: ExperimentView, members: Members, now: datetime, policy: Policy) -> Actions:
    experiment = view.experiment
    objective = experiment.spec.objective or Objective()
    best = best_of(members, objective)
    status = with_counts(experiment.status, members, best)
    ending = completion_of(
        experiment, status, view.suggestion, goal=is_goal_reached(best, objective)
    )
    if ending is not None:
        after = replace(experiment, status=mark_completed(status, ending, now))
        grave = ending.kind is ConditionType.FAILED
        kind = EventType.WARNING if grave else EventType.NORMAL
        told = EmitEvent(about=after, reason=ending.reason, message=ending.message, type=kind)
        return (WriteStatus(target=after), told)
    if members:
        status = mark_running(status, now)
    return (*_written(experiment, status), *_budget(view, members, now, policy))


def _written(experiment: Experiment, status: ExperimentStatus) -> Actions:
    """Write the status where it has changed."""
    if status == experiment.status:
        return ()
    return (WriteStatus(target=replace(experiment, status=status)),)


def _budget(view: ExperimentView, members: Members, now: datetime, policy: Policy) -> Actions:
    """Make trials, or remove some, until as many are active as there may be."""
    suggestion, spec = view.suggestion, view.experiment.spec
    if suggestion is None:
        return (CreateSuggestion(suggestion=suggestions.suggestion_of(view.experiment)),)
    there = {member.trial.metadata.name for member in members}
    tidy = suggestions.mark_restarting(suggestions.without_entries(suggestion, there), now)
    active = [member.trial for member in members if member.active]
    parallel = spec.parallel_trial_count or 1
    most = parallel
    if spec.max_trial_count is not None:
        most = min(parallel, spec.max_trial_count - (len(members) - len(active)))
    missing, waiting = most - len(active), tidy.status.suggestions
    if missing > 0 and not waiting and not suggestions.is_exhausted(tidy):
        return (_question(view, members, tidy, missing),)
    # Dropped from the record before it is deleted, a trial is not made again.
    kept = () if tidy == suggestion else (WriteStatus(target=tidy),)
    if len(active) > parallel:
        return (*kept, *_removals(active, len(active) - parallel))
    return (*kept, *_creations(view, tidy, missing, now, policy))


def _question(
    view: ExperimentView, members: Members, suggestion: Suggestion, count: int
) -> AskSuggestions:
    return AskSuggestions(
        experiment=suggestions.with_settings(view.experiment, suggestion),
        suggestion=suggestions.with_requests(suggestion, count),
        trials=tuple(map(as_history, members)),
        asked=suggestion.status.suggestion_count,
        count=count,
    )


def _removals(active: list[Trial], excess: int) -> Iterator[Action]:
    """Remove the newest of the active trials; those that are going already count."""
    going = sum(1 for trial in active if trial.metadata.deletion_timestamp)
    staying = [trial for trial in active if not trial.metadata.deletion_timestamp]
    for trial in staying[::-1][: max(excess - going, 0)]:
        yield DeleteTrial(trial=trial)


def _creations(
    view: ExperimentView, suggestion: Suggestion, missing: int, now: datetime, policy: Policy
) -> Actions:
    experiment = view.experiment
    try:
        trials = [
            trial_of(experiment, entry, view.template_text)
            for entry in suggestion.status.suggestions[: max(missing, 0)]
        ]
    except SpecError as error:
        return _no_template(experiment, str(error), now, policy)
    return tuple(CreateTrial(trial=trial) for trial in trials)


def _no_template(experiment: Experiment, why: str, now: datetime, policy: Policy) -> Actions:
    """A ConfigMap may still be created or corrected; an experiment's own template may not."""
    template = experiment.spec.trial_template
    if template is not None and template.config_map is not None:
        message = f"Failed to reconcile: {why}"
        warning = EmitEvent(
            about=experiment, reason="ReconcileError", message=message, type=EventType.WARNING
        )
        return (warning, WakeAt(moment=now + policy.template_retry))
    ending = failed_because(
        f"Experiment has failed because its trial template cannot be filled in: {why}"
    )
    return (
        WriteStatus(
            target=replace(experiment, status=mark_completed(experiment.status, ending, now))
        ),
    )


# -- after its end --------------------------------------------------------------------------


def _still_trains(member: TrialFacts) -> bool:
    """Say whether a trial is to be ended; one that waits for its metrics ends by itself, soon."""
    trial = member.trial
    going = bool(trial.metadata.deletion_timestamp)
    return member.active and not going and waiting_since(trial) is None


def _after_the_end(
    view: ExperimentView, members: Members, now: datetime, policy: Policy
) -> Iterator[Action]:
    experiment = view.experiment
    best = best_of(members, experiment.spec.objective or Objective())
    yield from _written(experiment, with_counts(experiment.status, members, best))
    suggestion = view.suggestion
    if suggestion is not None and experiment.spec.resume_policy is not ResumePolicy.LONG_RUNNING:
        after = suggestions.mark_finished(suggestion, now)
        if after is not suggestion:
            yield WriteStatus(target=after)
        elif suggestions.is_deployed(suggestion):
            yield RemoveService(suggestion=suggestion)
            yield WriteStatus(target=suggestions.mark_removed(suggestion, now))
    if policy.stop_at_end:
        for trial in [member.trial for member in members if _still_trains(member)]:
            cause = "the experiment has ended"
            yield WriteStatus(target=end_trial(trial, ConditionType.KILLED, now, cause=cause))
            message = f"Trial is killed: {cause}"
            yield EmitEvent(about=trial, reason="TrialKilled", message=message)
