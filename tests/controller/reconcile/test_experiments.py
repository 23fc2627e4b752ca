"""An experiment's life, its budget, and its end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from api.names import EXPERIMENT_FINALIZER, EXPERIMENT_LABEL, NUMBER_LABEL, TRIAL_FINALIZER
from api.types import (
    Comparison,
    ConditionStatus,
    ConditionType,
    ConfigMapSource,
    EarlyStoppingSpec,
    OwnerReference,
    ResumePolicy,
    Setting,
    StopRule,
    SuggestedTrial,
    Trial,
    TrialParameter,
    holds,
)
from controller.reconcile.actions import (
    AskSuggestions,
    CreateSuggestion,
    CreateTrial,
    DeleteTrial,
    WriteStatus,
)
from controller.reconcile.experiments import reconcile_experiment
from controller.reconcile.trial_states import TrialState
from controller.reconcile.views import ExperimentView, Policy, SuggestionReply, key_of
from tests.controller.experiment_harness import START, ExperimentHarness, experiment, template


def words(harness: ExperimentHarness) -> tuple[str, str, str]:
    last = harness.experiment.status.conditions[-1]
    return last.type, last.reason, last.message


async def all_succeed(harness: ExperimentHarness, *texts: str) -> None:
    """Let trials succeed one by one with these values, all that run at a time."""
    for text in texts:
        await harness.settle(seconds=1)
        harness.succeed(harness.in_state(TrialState.RUNNING)[0], text)
    await harness.settle(seconds=1)


async def test_it_keeps_as_many_trials_active_as_it_may_and_ends_when_all_are_done() -> None:
    harness = ExperimentHarness(experiment())

    for round_number in range(2):
        await harness.settle(seconds=1)
        running = harness.in_state(TrialState.RUNNING)
        assert len(running) == 2
        for trial in running:
            harness.succeed(trial, f"0.{5 - round_number}")
    await harness.settle(seconds=1)

    status = harness.experiment.status
    assert status.trials_succeeded == status.trials == 4
    assert [c.type for c in status.conditions] == ["Created", "Running", "Succeeded"]
    assert [c.status.value for c in status.conditions] == ["True", "False", "True"]
    assert words(harness) == (
        "Succeeded",
        "ExperimentMaxTrialsReached",
        "Experiment has succeeded because max trial count has reached",
    )
    assert status.start_time == "2026-01-02T03:04:06Z"
    assert status.completion_time == "2026-01-02T03:04:08Z"
    assert status.optimal_trial is not None
    assert status.optimal_trial.observation.metrics[0].min == "0.4"
    assert status.optimal_trial.name == status.succeeded[2], "of equal ones the first"
    assert not any(facts.present for facts in harness.memory.jobs.facts.values())


async def test_it_is_created_then_runs_as_soon_as_there_is_a_trial() -> None:
    harness = ExperimentHarness(experiment())
    await harness.settle()

    conditions = harness.experiment.status.conditions
    assert [(c.type, c.reason, c.message) for c in conditions] == [
        ("Created", "ExperimentCreated", "Experiment is created"),
        ("Running", "ExperimentRunning", "Experiment is running"),
    ]
    assert harness.experiment.status.trials_running == 2


async def test_a_trial_is_what_the_experiment_says() -> None:
    harness = ExperimentHarness(experiment())
    await harness.settle()

    trial = harness.trials[0]
    assert trial.metadata.name.startswith("exp-")
    assert len(trial.metadata.name) == len("exp-") + 8
    assert trial.metadata.labels == {"team": "x", EXPERIMENT_LABEL: "exp", NUMBER_LABEL: "0"}
    assert trial.metadata.finalizers == (TRIAL_FINALIZER,)
    owner = trial.metadata.owner_references[0]
    assert (owner.kind, owner.name, owner.controller) == ("Experiment", "exp", True)
    assert trial.spec.run_spec is not None
    metadata = trial.spec.run_spec["metadata"]
    assert metadata == {"name": trial.metadata.name, "namespace": "ns"}
    assert "--lr=0" in str(trial.spec.run_spec)
    assert trial.spec.objective == harness.experiment.spec.objective
    assert trial.spec.collector == harness.experiment.spec.collector
    assert trial.spec.primary_container_name == "main"


async def test_labels_of_the_search_go_to_the_trial_and_conditions_only_in_pairs() -> None:
    entry = SuggestedTrial(
        name="exp-theirs", assignments=(), labels={"generation": "3", NUMBER_LABEL: "0"}
    )
    form = template(trial_parameters=(), success_condition="a", failure_condition="")
    made = experiment()
    harness = ExperimentHarness(replace(made, spec=replace(made.spec, trial_template=form)))
    harness.memory.suggestions.turned = lambda _: SuggestionReply(trials=(entry,))
    await harness.settle()

    (trial,) = harness.trials
    assert trial.metadata.name == "exp-theirs"
    assert trial.metadata.labels["generation"] == "3"
    assert (trial.spec.success_condition, trial.spec.failure_condition) == ("", "")


# -- how it ends ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("maximize", "goal", "texts"),
    [(False, 0.25, ("0.5", "0.25")), (True, 0.9, ("0.5", "0.95"))],
)
async def test_the_goal_ends_it_and_ends_what_still_runs(
    maximize: bool,  # noqa: FBT001
    goal: float,
    texts: tuple[str, ...],
) -> None:
    harness = ExperimentHarness(experiment(goal=goal, maximize=maximize, max_trial_count=9))
    await all_succeed(harness, *texts)

    assert words(harness) == (
        "Succeeded",
        "ExperimentGoalReached",
        "Experiment has succeeded because Objective goal has reached",
    )
    (killed,) = harness.in_state(TrialState.KILLED)
    last = killed.status.conditions[-1]
    assert (last.type, last.reason) == ("Killed", "TrialKilled")
    assert last.message == "Trial is killed: the experiment has ended"
    assert not harness.memory.jobs.facts[key_of(killed)].present
    assert harness.experiment.status.killed == (killed.metadata.name,)


async def test_a_trial_that_only_waits_for_its_metrics_at_the_end_is_not_killed() -> None:
    harness = ExperimentHarness(experiment(goal=0.5, max_trial_count=9))
    await harness.settle()
    first, second = harness.trials
    harness.succeed(second)
    await harness.settle(seconds=1)
    harness.succeed(first, "0.5")
    await harness.settle(seconds=1)
    assert words(harness)[1] == "ExperimentGoalReached"
    assert harness.experiment.status.trials_running == 1

    harness.succeed(second, "0.25")
    await harness.settle(seconds=1)

    status = harness.experiment.status
    assert (status.trials_succeeded, status.trials_killed) == (2, 0)
    assert status.optimal_trial is not None
    assert status.optimal_trial.name == second.metadata.name


async def test_by_policy_what_still_runs_runs_on_and_is_counted() -> None:
    harness = ExperimentHarness(experiment(goal=0.5, max_trial_count=9), Policy(stop_at_end=False))
    await all_succeed(harness, "0.5")
    assert harness.experiment.status.trials_running == 1

    harness.succeed(harness.in_state(TrialState.RUNNING)[0], "0.1")
    await harness.settle(seconds=1)

    status = harness.experiment.status
    assert (status.trials_running, status.trials_succeeded) == (0, 2)
    assert status.optimal_trial is not None
    assert status.optimal_trial.observation.metrics[0].min == "0.1"


@pytest.mark.parametrize(("limit", "failures"), [(0, 1), (1, 1), (2, 2)])
async def test_too_many_failures_end_it(limit: int, failures: int) -> None:
    harness = ExperimentHarness(experiment(max_failed_trial_count=limit, parallel_trial_count=1))
    for _ in range(failures):
        await harness.settle(seconds=1)
        assert not holds(harness.experiment.status.conditions, ConditionType.FAILED)
        harness.fail(harness.in_state(TrialState.RUNNING)[0])
    await harness.settle(seconds=1)

    assert words(harness) == (
        "Failed",
        "ExperimentFailed",
        "Experiment has failed because max failed count has reached",
    )
    assert harness.experiment.status.trials == failures


async def test_trials_without_metrics_count_as_failed_and_as_done() -> None:
    harness = ExperimentHarness(experiment(max_trial_count=2, parallel_trial_count=1))
    for _ in range(2):
        await harness.settle(seconds=1)
        harness.succeed(harness.in_state(TrialState.RUNNING)[0], "nan")
        await harness.settle(seconds=1)
        await harness.settle(seconds=61)

    assert words(harness)[1] == "ExperimentMaxTrialsReached"
    assert harness.experiment.status.trials_metrics_unavailable == 2
    assert harness.experiment.status.trials == 2, "none was made in their place"
    assert harness.experiment.status.optimal_trial is None


async def test_a_search_that_ends_ends_the_experiment_when_none_is_active() -> None:
    harness = ExperimentHarness(experiment(max_trial_count=None))
    harness.memory.suggestions.size = 3
    await all_succeed(harness, "1", "2")
    assert harness.experiment.status.completion_time is None

    await all_succeed(harness, "3")

    assert words(harness) == (
        "Succeeded",
        "ExperimentSuggestionEndReached",
        "Experiment has succeeded because suggestion service has reached the end",
    )
    assert harness.experiment.status.trials == 3


async def test_a_search_without_a_single_point_ends_it_too() -> None:
    harness = ExperimentHarness(experiment())
    harness.memory.suggestions.size = 0
    await harness.settle()

    assert words(harness)[1] == "ExperimentSuggestionEndReached"


async def test_an_experiment_that_cannot_be_searched_fails_with_the_cause() -> None:
    harness = ExperimentHarness(experiment())
    harness.memory.suggestions.refuses = "sigma should be greater than zero"
    await harness.settle()

    assert words(harness) == (
        "Failed",
        "ExperimentFailed",
        "Suggestion has failed: Validation failed: sigma should be greater than zero",
    )
    last = harness.suggestion.status.conditions[-1]
    assert (last.type, last.reason) == ("Failed", "SuggestionFailed")
    assert last.message == "Validation failed: sigma should be greater than zero"


async def test_a_search_that_is_away_is_asked_again_later_and_later() -> None:
    harness = ExperimentHarness(experiment())
    harness.memory.suggestions.away = "it is down"
    first = await harness.settle()
    second = await harness.settle(seconds=1)
    assert first is not None
    assert second is not None
    assert first - START < second - harness.now
    assert [event.message for event in harness.memory.events.all][-1] == (
        "Failed to reconcile, and will try again: it is down"
    )

    harness.memory.suggestions.away = ""
    await harness.settle(seconds=1)
    assert harness.experiment.status.trials == 2


async def test_a_template_that_cannot_be_filled_in_fails_the_experiment() -> None:
    wrong = (TrialParameter(name="lr", reference="nope"),)
    harness = ExperimentHarness(experiment(trial_template=template(trial_parameters=wrong)))
    await harness.settle()

    assert words(harness)[:2] == ("Failed", "ExperimentFailed")
    assert "its trial template cannot be filled in" in words(harness)[2]
    assert not harness.trials


async def test_a_template_in_a_config_map_may_come_later() -> None:
    source = ConfigMapSource(name="forms", namespace="ns", path="job")
    form = template(
        trial_spec=None, config_map=source, success_condition="a", failure_condition="b"
    )
    harness = ExperimentHarness(experiment(trial_template=form))
    wake = await harness.settle()
    assert wake is not None
    warning = harness.memory.events.all[-1]
    assert warning.reason == "TrialTemplateUnusable"
    assert 'cannot find key "job" of ConfigMap ns/forms' in warning.message
    assert not harness.trials

    harness.memory.objects.templates[source] = "kind: Job\nargs: [--lr=${trialParameters.lr}]\n"
    harness.now = wake
    await harness.settle()

    run_specs = [trial.spec.run_spec for trial in harness.trials]
    assert [spec and spec["args"] for spec in run_specs] == [["--lr=0"], ["--lr=1"]]


# -- the budget changes ---------------------------------------------------------------------


async def test_a_lowered_parallel_count_removes_the_newest_active_trials_only() -> None:
    harness = ExperimentHarness(experiment(parallel_trial_count=4, max_trial_count=9))
    await harness.settle()
    done = harness.trials[3]
    harness.succeed(done, "1")
    await harness.settle(seconds=1)
    assert len(harness.in_state(TrialState.RUNNING)) == 4

    spec = harness.experiment.spec
    harness.memory.objects.apply(
        replace(harness.experiment, spec=replace(spec, parallel_trial_count=2))
    )
    await harness.settle(seconds=1)

    assert [t.metadata.labels[NUMBER_LABEL] for t in harness.trials] == ["0", "1", "3"]
    assert harness.experiment.status.succeeded == (done.metadata.name,)
    assert len(harness.in_state(TrialState.RUNNING)) == 2
    assert len(harness.memory.jobs.deleted) == 3, "two removed, and the one that was done"
    assert harness.suggestion.status.suggestion_count == 5, "a number is never given twice"


async def test_a_trial_that_is_going_counts_as_removed() -> None:
    harness = ExperimentHarness(experiment(parallel_trial_count=3, max_trial_count=9))
    await harness.settle()
    await harness.memory.objects.delete(harness.trials[0])
    spec = replace(harness.experiment.spec, parallel_trial_count=2)
    view = ExperimentView(
        experiment=replace(harness.experiment, spec=spec),
        suggestion=harness.suggestion,
        trials=tuple(harness.trials),
    )

    actions = reconcile_experiment(view, harness.now, Policy())

    assert not [action for action in actions if isinstance(action, DeleteTrial)]


@pytest.mark.parametrize("policy", [ResumePolicy.LONG_RUNNING, ResumePolicy.FROM_VOLUME])
async def test_a_raised_count_lets_it_go_on(policy: ResumePolicy) -> None:
    harness = ExperimentHarness(
        experiment(max_trial_count=1, parallel_trial_count=1, resume_policy=policy)
    )
    await all_succeed(harness, "1")
    assert words(harness)[1] == "ExperimentMaxTrialsReached"
    ended = holds(harness.suggestion.status.conditions, ConditionType.SUCCEEDED)
    assert ended is (policy is ResumePolicy.FROM_VOLUME)

    spec = replace(harness.experiment.spec, max_trial_count=2)
    harness.memory.objects.apply(replace(harness.experiment, spec=spec))
    actions = reconcile_experiment(
        ExperimentView(
            experiment=harness.experiment,
            suggestion=harness.suggestion,
            trials=tuple(harness.trials),
        ),
        harness.now,
        Policy(),
    )
    assert isinstance(actions[0], WriteStatus)
    after = actions[0].target.status.conditions
    assert (after[-1].type, after[-1].reason, after[-1].message) == (
        "Restarting",
        "ExperimentRestarting",
        "Experiment is restarted",
    )
    assert not holds(after, ConditionType.SUCCEEDED)
    await harness.settle(seconds=1)

    assert harness.experiment.status.trials_running == 1
    assert harness.experiment.status.completion_time is None
    running = [c for c in harness.suggestion.status.conditions if c.type == "Running"]
    assert [c.status for c in running] == [ConditionStatus.TRUE]
    assert not holds(harness.suggestion.status.conditions, ConditionType.SUCCEEDED)

    harness.succeed(harness.in_state(TrialState.RUNNING)[0], "0.5")
    await harness.settle(seconds=1)
    assert words(harness)[1] == "ExperimentMaxTrialsReached"
    assert harness.experiment.status.trials == 2


async def test_with_the_policy_never_a_raised_count_changes_nothing() -> None:
    harness = ExperimentHarness(experiment(max_trial_count=1, parallel_trial_count=1))
    await all_succeed(harness, "1")
    last = harness.suggestion.status.conditions[-1]
    assert (last.reason, last.message) == (
        "Experiment is succeeded",
        "Suggestion is succeeded, can't be restarted",
    )

    spec = replace(harness.experiment.spec, max_trial_count=5)
    harness.memory.objects.apply(replace(harness.experiment, spec=spec))
    await harness.settle(seconds=1)

    assert harness.experiment.status.trials == 1


async def test_an_experiment_without_a_count_that_has_ended_does_not_start_again() -> None:
    harness = ExperimentHarness(experiment(goal=1, max_trial_count=None, parallel_trial_count=1))
    await all_succeed(harness, "1")
    before = harness.experiment

    await harness.settle(seconds=100)

    assert harness.experiment == before


# -- what it owns ---------------------------------------------------------------------------


async def test_trials_and_suggestion_of_an_older_experiment_of_this_name_are_not_its_own() -> None:
    harness = ExperimentHarness(experiment())
    await harness.settle()
    old = OwnerReference(
        api_version="kubeflow.org/v1beta1",
        kind="Experiment",
        name="exp",
        uid="old",
        controller=True,
    )
    theirs = [
        replace(t, metadata=replace(t.metadata, owner_references=(old,))) for t in harness.trials
    ]
    suggestion = replace(
        harness.suggestion, metadata=replace(harness.suggestion.metadata, owner_references=(old,))
    )
    fresh = replace(harness.experiment, status=type(harness.experiment.status)())

    view = ExperimentView(experiment=fresh, trials=tuple(theirs), suggestion=suggestion)
    (first,) = reconcile_experiment(view, START, Policy())
    assert isinstance(first, WriteStatus)
    assert not isinstance(first.target, Trial)
    view = replace(view, experiment=first.target)  # type: ignore[arg-type]
    assert [type(a).__name__ for a in reconcile_experiment(view, START, Policy())] == ["WakeAt"]

    view = replace(view, suggestion=None)
    (made,) = reconcile_experiment(view, START, Policy())
    assert isinstance(made, CreateSuggestion)


async def test_an_experiment_that_is_being_deleted_is_let_go_whatever_is_down() -> None:
    made = experiment()
    meta = replace(
        made.metadata,
        deletion_timestamp="2026-01-02T03:04:05Z",
        finalizers=(EXPERIMENT_FINALIZER,),
    )
    view = ExperimentView(experiment=replace(made, metadata=meta))

    assert [type(a).__name__ for a in reconcile_experiment(view, START, Policy())] == ["Release"]
    free = replace(meta, finalizers=())
    view = ExperimentView(experiment=replace(made, metadata=free))
    assert reconcile_experiment(view, START, Policy()) == ()


async def test_a_deleted_trial_is_replaced_and_does_not_come_back() -> None:
    harness = ExperimentHarness(experiment(max_trial_count=2, parallel_trial_count=2))
    await harness.settle()
    gone = harness.trials[0]
    await harness.memory.objects.delete(gone)
    await harness.settle(seconds=1)

    assert len(harness.trials) == 2
    assert gone.metadata.name not in {trial.metadata.name for trial in harness.trials}
    assert key_of(gone) not in harness.memory.observations.metrics


# -- the search -----------------------------------------------------------------------------


async def test_what_was_suggested_is_made_in_its_order_and_then_dropped_from_the_record() -> None:
    harness = ExperimentHarness(experiment())
    await harness.settle()

    assert [trial.spec.assignments[0].value for trial in harness.trials] == ["0", "1"]
    assert harness.suggestion.status.suggestions == ()
    assert harness.suggestion.status.suggestion_count == harness.suggestion.spec.requests == 2
    assert [c.type for c in harness.suggestion.status.conditions] == ["Created", "Running"]


async def test_trials_that_were_written_down_are_made_before_the_search_is_asked_again() -> None:
    """Katib's own case: trials 1 and 3 are there, 1, 2 and 3 were suggested: 2 is made."""
    harness = ExperimentHarness(experiment(parallel_trial_count=3, max_trial_count=3))
    await harness.settle()
    one, two, three = harness.trials
    entries = tuple(
        SuggestedTrial(name=t.metadata.name, assignments=t.spec.assignments)
        for t in (one, two, three)
    )
    status = replace(harness.suggestion.status, suggestions=entries)
    view = ExperimentView(
        experiment=harness.experiment,
        suggestion=replace(harness.suggestion, status=status),
        trials=(one, three),
    )

    actions = reconcile_experiment(view, harness.now, Policy())

    assert [a.trial.metadata.name for a in actions if isinstance(a, CreateTrial)] == [
        two.metadata.name
    ]
    assert not [a for a in actions if isinstance(a, AskSuggestions)]


async def test_the_history_is_asked_about_in_order_with_the_settings_to_be_reminded_of() -> None:
    harness = ExperimentHarness(experiment(parallel_trial_count=1))
    search = harness.memory.suggestions
    reminder = (Setting(name="random_state", value="7"),)
    search.turned = lambda answer: replace(answer, settings=reminder)
    await all_succeed(harness, "1", "2", "3", "4")

    assert [asked for _, _, asked, _ in search.asked] == [0, 1, 2, 3]
    (first, *_), *_, (last, history, _, _) = search.asked
    assert [t.metadata.labels[NUMBER_LABEL] for t in history] == ["0", "1", "2"]
    assert last.spec.algorithm is not None
    assert last.spec.algorithm.settings == reminder
    assert first.spec.algorithm is not None
    assert first.spec.algorithm.settings == ()


@pytest.mark.parametrize("wanted", [True, False])
async def test_stop_rules_come_with_the_suggestions_where_they_were_asked_for(
    wanted: bool,  # noqa: FBT001
) -> None:
    rule = StopRule(name="loss", value="0.5", comparison=Comparison.GREATER, start_step=4)
    stopping = EarlyStoppingSpec(name="medianstop") if wanted else None
    harness = ExperimentHarness(experiment(early_stopping=stopping))
    harness.memory.suggestions.turned = lambda answer: replace(
        answer, trials=tuple(replace(trial, stop_rules=(rule,)) for trial in answer.trials)
    )
    await harness.settle()

    assert {trial.spec.stop_rules for trial in harness.trials} == {(rule,) if wanted else ()}


async def test_an_early_stopped_trial_frees_its_place_and_may_be_the_best() -> None:
    harness = ExperimentHarness(experiment(parallel_trial_count=1, max_trial_count=2))
    await harness.settle()
    first = harness.trials[0]
    await harness.driver.stop_early(key_of(first), harness.now)
    harness.succeed(first, "0.1")
    await harness.settle(seconds=1)
    harness.succeed(harness.in_state(TrialState.RUNNING)[0], "0.2")
    await harness.settle(seconds=1)

    status = harness.experiment.status
    assert (status.trials_early_stopped, status.trials_succeeded) == (1, 1)
    assert status.optimal_trial is not None
    assert status.optimal_trial.name == first.metadata.name
    assert not harness.memory.jobs.facts[key_of(first)].present, "and its job is deleted"
