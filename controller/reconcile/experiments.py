"""The life of an experiment: from the known state of it and its trials to the actions that are due.

| the experiment | due |
|---|---|
| is being deleted | remove the finalizer |
| is new | the condition Created |
| is searching | update counters; end it, or keep as many trials active as its budget allows |
| has ended | update counters; end running trials and the search; or restart with a larger budget |

A new trial takes three reconciles: the driver stores the reply of the search, creates the trial
under the stored name, and drops the entry when it sees the trial. Each step may be repeated, and
none creates a second trial.
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
from controller.reconcile import suggestion_conditions, suggestions
from controller.reconcile.actions import (
    Action,
    AskSuggestions,
    CreateSuggestion,
    CreateTrial,
    DeleteTrial,
    EmitEvent,
    Release,
    RemoveService,
    WakeAt,
    WriteStatus,
)
from controller.reconcile.counting import as_history, best_of, is_goal_reached, with_counts
from controller.reconcile.creation import trial_of
from controller.reconcile.enqueued import count_to_ask
from controller.reconcile.event_reasons import EventReason
from controller.reconcile.experiment_states import (
    Completion,
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
from controller.reconcile.trial_states import waiting_since
from controller.reconcile.trial_transitions import end_trial
from controller.reconcile.views import ExperimentView, Policy

Actions = tuple[Action, ...]
OwnedTrials = Sequence[TrialFacts]


def reconcile_experiment(
    view: ExperimentView, now: datetime, policy: Policy, facts_of: FactsOfTrials = facts_of_trials
) -> Actions:
    """Return what is due for an experiment. Equal arguments give equal actions.

    `facts_of` is `facts_of_trials`, or a cache that returns the same.
    """
    experiment = view.experiment
    if experiment.metadata.deletion_timestamp:
        has_finalizer = EXPERIMENT_FINALIZER in experiment.metadata.finalizers
        return (Release(target=experiment),) if has_finalizer else ()
    if not holds(experiment.status.conditions, ConditionType.CREATED):
        return (WriteStatus(target=mark_created(experiment, now)),)
    if completed(experiment) and can_restart(experiment):
        after = mark_restarted(experiment, now)
        event = EmitEvent(
            about=after,
            reason=EventReason.EXPERIMENT_RESTARTING,
            message="Experiment is restarted",
        )
        return (WriteStatus(target=after), event)
    if view.suggestion is not None and not belongs_to(owner_uids(view.suggestion), experiment):
        # It belongs to a deleted experiment of the same name, and will be deleted too.
        return (WakeAt(moment=now + policy.metrics_poll),)
    owned = [facts for facts in facts_of(view.trials) if belongs_to(facts.owners, experiment)]
    if completed(experiment):
        return tuple(_after_the_end(view, owned, now, policy))
    return _searching(view, owned, now, policy)


# -- while it searches ----------------------------------------------------------------------


def _searching(view: ExperimentView, owned: OwnedTrials, now: datetime, policy: Policy) -> Actions:
    experiment = view.experiment
    objective = experiment.spec.objective or Objective()
    best = best_of(owned, objective)
    status = with_counts(experiment.status, owned, best)
    completion = completion_of(
        experiment, status, view.suggestion, goal=is_goal_reached(best, objective)
    )
    if completion is not None:
        return _completed(experiment, status, completion, now)
    if owned:
        status = mark_running(status, now)
    return (*_written(experiment, status), *_budget(view, owned, now, policy))


def _completed(
    experiment: Experiment, status: ExperimentStatus, completion: Completion, now: datetime
) -> Actions:
    after = replace(experiment, status=mark_completed(status, completion, now))
    reason = EventReason(completion.reason)
    return (
        WriteStatus(target=after),
        EmitEvent(about=after, reason=reason, message=completion.message),
    )


def _written(experiment: Experiment, status: ExperimentStatus) -> Actions:
    """Write the status if it has changed."""
    if status == experiment.status:
        return ()
    return (WriteStatus(target=replace(experiment, status=status)),)


def _budget(view: ExperimentView, owned: OwnedTrials, now: datetime, policy: Policy) -> Actions:
    """Create trials, or delete some, until as many are active as the budget allows."""
    suggestion, spec = view.suggestion, view.experiment.spec
    if suggestion is None:
        return (CreateSuggestion(suggestion=suggestions.suggestion_of(view.experiment)),)
    existing = {facts.trial.metadata.name for facts in owned}
    left = suggestions.without_entries(suggestion, existing)
    updated = suggestion_conditions.mark_restarting(left, now)
    active = [facts.trial for facts in owned if facts.active]
    parallel = spec.parallel_trial_count or 1
    most = parallel
    if spec.max_trial_count is not None:
        most = min(parallel, spec.max_trial_count - (len(owned) - len(active)))
    missing, entries = most - len(active), updated.status.suggestions
    if missing > 0 and not entries and not suggestion_conditions.is_exhausted(updated):
        asked = updated.status.suggestion_count
        count = count_to_ask(view.experiment, asked, missing)
        return (_question(view, owned, updated, count),)
    # An entry is dropped before its trial is deleted, so the trial is not created again.
    update = () if updated == suggestion else (WriteStatus(target=updated),)
    if len(active) > parallel:
        return (*update, *_removals(active, len(active) - parallel))
    return (*update, *_creations(view, updated, missing, now, policy))


def _question(
    view: ExperimentView, owned: OwnedTrials, suggestion: Suggestion, count: int
) -> AskSuggestions:
    return AskSuggestions(
        experiment=suggestions.with_settings(view.experiment, suggestion),
        suggestion=suggestions.with_requests(suggestion, count),
        trials=tuple(map(as_history, owned)),
        asked=suggestion.status.suggestion_count,
        count=count,
    )


def _removals(active: list[Trial], excess: int) -> Iterator[Action]:
    """Delete the newest active trials; trials that are already being deleted count as deleted."""
    being_deleted = sum(1 for trial in active if trial.metadata.deletion_timestamp)
    staying = [trial for trial in active if not trial.metadata.deletion_timestamp]
    for trial in staying[::-1][: max(excess - being_deleted, 0)]:
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


def _no_template(experiment: Experiment, cause: str, now: datetime, policy: Policy) -> Actions:
    """A ConfigMap may still be created or corrected; an experiment's own template may not."""
    template = experiment.spec.trial_template
    if template is not None and template.config_map is not None:
        message = f"No trial can be created until the ConfigMap is corrected: {cause}"
        warning = EmitEvent(about=experiment, reason=EventReason.TEMPLATE_UNUSABLE, message=message)
        return (warning, WakeAt(moment=now + policy.template_retry))
    completion = failed_because(
        f"Experiment has failed because its trial template cannot be filled in: {cause}"
    )
    return _completed(experiment, experiment.status, completion, now)


# -- after the end --------------------------------------------------------------------------


def _still_trains(facts: TrialFacts) -> bool:
    """Return whether to kill a trial; one that waits for its metrics ends soon by itself."""
    trial = facts.trial
    is_deleted = bool(trial.metadata.deletion_timestamp)
    return facts.active and not is_deleted and waiting_since(trial) is None


def _after_the_end(
    view: ExperimentView, owned: OwnedTrials, now: datetime, policy: Policy
) -> Iterator[Action]:
    experiment = view.experiment
    best = best_of(owned, experiment.spec.objective or Objective())
    yield from _written(experiment, with_counts(experiment.status, owned, best))
    suggestion = view.suggestion
    if suggestion is not None and experiment.spec.resume_policy is not ResumePolicy.LONG_RUNNING:
        after = suggestion_conditions.mark_finished(suggestion, now)
        if after is not suggestion:
            yield WriteStatus(target=after)
        elif suggestion_conditions.is_deployed(suggestion):
            yield RemoveService(suggestion=suggestion)
            yield WriteStatus(target=suggestion_conditions.mark_removed(suggestion, now))
    if policy.stop_at_end:
        for trial in [facts.trial for facts in owned if _still_trains(facts)]:
            cause = "the experiment has ended"
            yield WriteStatus(target=end_trial(trial, ConditionType.KILLED, now, cause=cause))
            message = f"Trial is killed: {cause}"
            yield EmitEvent(about=trial, reason=EventReason.TRIAL_KILLED, message=message)
