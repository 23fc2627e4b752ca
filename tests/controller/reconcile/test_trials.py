"""A trial's life, state by state: what is known, and what is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from api.names import TRIAL_FINALIZER, UNAVAILABLE
from api.types import (
    CollectorKind,
    CollectorSpec,
    Condition,
    ConditionStatus,
    ConditionType,
    JsonObject,
    Objective,
    ObjectiveType,
    ObjectMeta,
    Trial,
    TrialSpec,
    TrialStatus,
)
from controller.reconcile.actions import (
    Action,
    EmitEvent,
    ReadObservation,
    WakeAt,
    WriteStatus,
)
from controller.reconcile.running_trial import failed_to_start
from controller.reconcile.times import format_time
from controller.reconcile.trial_states import TrialState, state_of
from controller.reconcile.trial_transitions import (
    end_trial,
    mark_created,
    mark_early_stopped,
    mark_running,
)
from controller.reconcile.trials import reconcile_trial
from controller.reconcile.views import (
    JobFacts,
    PodFacts,
    Policy,
    PrimaryEnd,
    StoredMetrics,
    StoreUnavailable,
    TrialView,
)
from tests.controller.experiment_harness import JOB, START, job_with, loss

POLICY = Policy(metrics_grace=timedelta(seconds=60), metrics_poll=timedelta(seconds=1))
SUCCESS = 'status.conditions.#(type=="Complete")#|#(status=="True")#'
FAILURE = 'status.conditions.#(type=="Failed")#|#(status=="True")#'
DONE = job_with(JOB, "Complete", "CompletionsReached", "all is well")
BROKEN = job_with(JOB, "Failed", "BackoffLimitExceeded", "3 retries")
NOTHING = StoredMetrics()
AWAY = StoreUnavailable(cause="connection refused")


def trial(*, kind: CollectorKind = CollectorKind.STDOUT, retain: bool = False) -> Trial:
    return Trial(
        metadata=ObjectMeta(
            name="t", namespace="ns", uid="uid-t", finalizers=(TRIAL_FINALIZER,), labels={"a": "b"}
        ),
        spec=TrialSpec(
            objective=Objective(type=ObjectiveType.MINIMIZE, metric="loss"),
            run_spec=JOB,
            retain_run=retain,
            collector=CollectorSpec(kind=kind),
            success_condition=SUCCESS,
            failure_condition=FAILURE,
        ),
    )


def living(**changes: object) -> Trial:
    return mark_created(trial(**changes), START)  # type: ignore[arg-type]


def at_work(**changes: object) -> Trial:
    return mark_running(living(**changes), START)


def due(
    item: Trial,
    job: JsonObject | None = None,
    observed: StoredMetrics | StoreUnavailable | None = None,
    *,
    seconds: float = 0,
    gone: bool = False,
    pods: PodFacts | None = None,
    policy: Policy = POLICY,
) -> tuple[Action, ...]:
    facts = JobFacts(document=job, gone=gone, pods=pods or PodFacts())
    view = TrialView(trial=item, job=facts, observed=observed)
    return reconcile_trial(view, START + timedelta(seconds=seconds), policy)


def written(actions: tuple[Action, ...]) -> Trial:
    (status,) = [a for a in actions if isinstance(a, WriteStatus)]
    assert isinstance(status.target, Trial)
    return status.target


def events(actions: tuple[Action, ...]) -> list[tuple[str, str, str]]:
    return [
        (a.reason.type.value, a.reason.value, a.message)
        for a in actions
        if isinstance(a, EmitEvent)
    ]


def kinds(actions: tuple[Action, ...]) -> str:
    return ", ".join(type(a).__name__ for a in actions if not isinstance(a, EmitEvent))


def last(item: Trial) -> Condition:
    return item.status.conditions[-1]


def words(item: Trial) -> tuple[str, str, str]:
    condition = last(item)
    return condition.type, condition.reason, condition.message


def test_a_new_trial_gets_its_job_and_then_its_first_status() -> None:
    assert kinds(due(trial())) == "CreateJob"

    after = written(due(trial(), JOB))

    assert [one.type for one in after.status.conditions] == ["Created", "Running"]
    assert after.status.conditions[0].reason == "TrialCreated"
    assert after.status.start_time == "2026-01-02T03:04:05Z"
    assert after.status.completion_time is None


def test_a_new_trial_whose_job_ends_at_once_has_all_of_its_conditions() -> None:
    job = job_with(JOB, "Complete")

    after = written(due(trial(), job, StoredMetrics(metrics=loss("0.5"))))

    assert [one.type for one in after.status.conditions] == ["Created", "Succeeded"]
    assert (after.status.start_time, after.status.completion_time) == (
        format_time(START),
        format_time(START),
    )


def test_a_new_trial_of_which_others_have_said_something_is_created_first() -> None:
    for item in (mark_early_stopped(trial(), START), replace(living(), status=TrialStatus())):
        after = written(due(item, gone=True))
        assert words(after) == ("Created", "TrialCreated", "Trial is created")


def test_a_trial_without_a_job_gets_one() -> None:
    actions = due(living())

    assert kinds(actions) == "CreateJob"
    assert events(actions) == [("Normal", "JobCreated", "Job t has been created")]


def test_a_job_that_vanished_while_it_ran_is_made_anew() -> None:
    assert kinds(due(at_work(), JOB, gone=True)) == "CreateJob"


@pytest.mark.parametrize("item", [living(), at_work()], ids=["pending", "running"])
def test_a_job_that_vanished_after_it_failed_has_failed(item: Trial) -> None:
    assert last(written(due(item, BROKEN, gone=True))).type == "Failed"


def test_a_job_that_vanished_after_it_succeeded_is_measured() -> None:
    assert kinds(due(at_work(), DONE, gone=True)) == "ReadObservation"
    assert last(
        written(due(at_work(), DONE, StoredMetrics(metrics=loss("1")), gone=True))
    ).type == ("Succeeded")


def test_a_job_that_is_there_runs() -> None:
    actions = due(living(), JOB)

    assert words(written(actions)) == ("Running", "TrialRunning", "Trial is running")
    assert events(actions) == [("Normal", "JobRunning", "Job t is running")]


def test_while_it_runs_nothing_is_due() -> None:
    assert due(at_work(), JOB) == ()


# -- the end of the job ---------------------------------------------------------------------


def test_a_failed_job_is_a_failed_trial_with_its_words() -> None:
    actions = due(at_work(), BROKEN, seconds=5)
    after = written(actions)

    assert words(after) == (
        "Failed",
        "TrialFailed. Job reason: BackoffLimitExceeded",
        "Trial has failed. Job message: 3 retries",
    )
    assert after.status.completion_time == "2026-01-02T03:04:10Z"
    (running_now,) = [c for c in after.status.conditions if c.type == "Running"]
    assert running_now.status is ConditionStatus.FALSE
    assert (running_now.reason, running_now.message) == ("TrialRunning", "Trial is running")
    assert events(actions) == [
        (
            "Warning",
            "JobFailed",
            "Job t has failed: 3 retries (BackoffLimitExceeded); to keep its pods and their logs, set spec.trialTemplate.retain: true",
        )
    ]


@pytest.mark.parametrize("observed", [None, NOTHING, StoredMetrics(metrics=loss("0.1"))])
def test_what_the_store_says_never_makes_a_failed_job_a_success(
    observed: StoredMetrics | None,
) -> None:
    """A trainer can forge the record of its end, so that its collector reports a success."""
    assert last(written(due(at_work(), BROKEN, observed))).type == "Failed"


def test_what_the_store_says_ends_no_trial_whose_job_runs() -> None:
    assert kinds(due(at_work(), JOB, StoredMetrics(metrics=loss("0.1")))) == ""


def test_failure_comes_before_success() -> None:
    both: JsonObject = {
        "status": {
            "conditions": [
                {"type": "Complete", "status": "True"},
                {"type": "Failed", "status": "True"},
            ]
        }
    }

    assert last(written(due(at_work(), both))).type == "Failed"


def test_a_condition_that_cannot_be_read_fails_the_trial_and_says_so() -> None:
    item = at_work()
    item = replace(item, spec=replace(item.spec, failure_condition="status.@pretty"))

    after = written(due(item, JOB))

    assert last(after).type == "Failed"
    assert "spec.failureCondition cannot be evaluated" in last(after).message
    assert "@pretty" in last(after).message


def test_a_job_that_succeeded_is_measured_before_anything_is_said() -> None:
    assert due(at_work(), DONE) == (ReadObservation(trial=at_work()),)


def test_a_measured_trial_has_succeeded_with_its_observation() -> None:
    actions = due(at_work(), DONE, StoredMetrics(metrics=loss("0.50", "nan", "0.40")), seconds=3)
    after = written(actions)

    assert words(after) == (
        "Succeeded",
        "TrialSucceeded. Job reason: CompletionsReached",
        "Trial has succeeded. Job message: all is well",
    )
    assert after.status.observation is not None
    (metric,) = after.status.observation.metrics
    assert (metric.min, metric.max, metric.latest) == ("0.40", "0.50", "0.40")
    assert after.status.completion_time == "2026-01-02T03:04:08Z"
    assert events(actions) == [("Normal", "JobSucceeded", "Job t has succeeded")]


def test_metrics_that_are_late_are_waited_for_and_the_wait_is_written_down() -> None:
    actions = due(at_work(), DONE, NOTHING)
    after = written(actions)

    assert kinds(actions) == "WriteStatus, WakeAt"
    assert words(after)[:2] == ("Running", "TrialMetricsAwaited")
    assert last(after).status is ConditionStatus.FALSE
    assert state_of(after) is TrialState.RUNNING, "it takes its place in the budget"

    late = due(after, DONE, StoredMetrics(metrics=loss("1")), seconds=30)
    assert last(written(late)).type == "Succeeded"


def test_the_wait_goes_on_where_it_was_after_a_restart_and_without_the_job() -> None:
    waiting = written(due(at_work(), DONE, NOTHING))

    assert kinds(due(waiting, None)) == "ReadObservation"
    assert kinds(due(waiting, None, NOTHING, seconds=59.5)) == "WakeAt"
    assert last(written(due(waiting, None, NOTHING, seconds=60))).type == "MetricsUnavailable"


@pytest.mark.parametrize("observed", [NOTHING, AWAY], ids=["nothing there", "store away"])
def test_the_wait_has_an_end(observed: StoredMetrics | StoreUnavailable) -> None:
    waiting = written(due(at_work(), DONE, observed))
    (wake,) = due(waiting, DONE, observed, seconds=59.5)
    assert wake == WakeAt(moment=START + timedelta(seconds=60))

    actions = due(waiting, DONE, observed, seconds=60)
    after = written(actions)

    assert last(after).type == "MetricsUnavailable"
    assert last(after).reason == "MetricsUnavailable. Job reason: CompletionsReached"
    assert last(after).message.startswith("Metrics are not available: ")
    assert last(after).message.endswith(". Job message: all is well")
    ((kind, reason, message),) = events(actions)
    assert (kind, reason) == ("Warning", "MetricsUnavailable")
    assert message.startswith("Metrics are not available for Job t: ")


def test_a_store_that_has_the_collectors_last_word_is_not_waited_for() -> None:
    stored = StoredMetrics(metrics=loss(UNAVAILABLE))

    assert last(written(due(at_work(), DONE, stored))).type == "MetricsUnavailable"


def test_only_nan_is_no_metric_and_is_kept_as_history() -> None:
    after = written(due(at_work(), DONE, StoredMetrics(metrics=loss(UNAVAILABLE, "nan"))))

    assert last(after).type == "MetricsUnavailable"
    assert '"loss" was never a finite number' in last(after).message
    assert after.status.observation is not None
    (metric,) = after.status.observation.metrics
    assert (metric.min, metric.max, metric.latest) == (UNAVAILABLE, UNAVAILABLE, "nan")


def test_a_training_that_pushes_and_pushed_nothing_is_reported_and_not_waited_for() -> None:
    item = at_work(kind=CollectorKind.PUSH)

    actions = due(item, DONE, NOTHING)

    assert kinds(actions) == "ReportUnavailable, WriteStatus"
    assert last(written(actions)).type == "MetricsUnavailable"


def test_what_was_reported_already_is_not_reported_twice() -> None:
    item = at_work(kind=CollectorKind.PUSH)

    assert kinds(due(item, DONE, StoredMetrics(metrics=loss(UNAVAILABLE)))) == "WriteStatus"


def test_a_training_that_pushes_to_a_store_that_is_away_is_waited_for() -> None:
    item = at_work(kind=CollectorKind.PUSH)
    waiting = written(due(item, DONE, AWAY))
    assert words(waiting)[1] == "TrialMetricsAwaited"

    assert kinds(due(waiting, DONE, AWAY, seconds=61)) == "WriteStatus"


# -- pods that cannot be --------------------------------------------------------------------


def test_a_job_without_pods_says_why_and_is_pending() -> None:
    pods = PodFacts(refused="admission webhook denied the request: no container main")
    actions = due(living(), JOB, pods=pods)
    after = written(actions)

    assert words(after) == ("Running", "TrialPodsRefused", pods.refused)
    assert state_of(after) is TrialState.PENDING
    assert events(actions) == [("Warning", "TrialPodsRefused", pods.refused)]
    assert words(written(due(after, JOB, seconds=9)))[1] == "TrialRunning"


def test_a_job_without_pods_fails_after_an_hour_with_its_cause() -> None:
    pods = PodFacts(refused="admission webhook denied the request: no container main")
    after = written(due(living(), JOB, pods=pods))

    end = written(due(after, JOB, pods=pods, seconds=3600))

    assert last(end).type == "Failed"
    assert f"no pod could be created for 1:00:00: {pods.refused}" in last(end).message


QUOTA = 'pods "t-x" is forbidden: exceeded quota: gpus, requested: 1, used: 4, limited: 4'


def test_a_trial_that_waits_for_room_waits_without_limit_unless_the_operator_set_one() -> None:
    denied = PodFacts(refused=QUOTA)
    refused = written(due(living(), JOB, pods=denied))
    pending = written(due(at_work(), JOB, pods=ROOM, seconds=30))
    policy = replace(POLICY, room_deadline=timedelta(minutes=5))

    assert due(refused, JOB, pods=denied, seconds=10**6) == ()
    assert due(pending, JOB, pods=ROOM, seconds=10**6) == ()
    for item, pods in ((refused, denied), (pending, ROOM)):
        end = written(due(item, JOB, pods=pods, seconds=400, policy=policy))
        assert last(end).type == "Failed"


def test_a_job_without_pods_fails_after_the_deadline_that_the_operator_set() -> None:
    policy = replace(POLICY, start_deadline=timedelta(minutes=5))
    pods = PodFacts(refused="no container main")
    after = written(due(living(), JOB, pods=pods, policy=policy))

    (wake,) = due(after, JOB, pods=pods, policy=policy, seconds=299)
    assert wake == WakeAt(moment=START + timedelta(minutes=5))

    end = written(due(after, JOB, pods=pods, policy=policy, seconds=300))
    assert last(end).type == "Failed"
    assert "no pod could be created for 0:05:00: no container main" in last(end).message


def test_a_job_that_cannot_be_created_fails_the_trial() -> None:
    actions = failed_to_start(living(), "there is no kind FooJob here", START)

    assert words(written(actions)) == (
        "Failed",
        "TrialFailed",
        "Trial has failed: there is no kind FooJob here",
    )


# -- containers that outlive the training ----------------------------------------------------

PROXY = PodFacts(
    injected=True, primary_end=PrimaryEnd(exit_code=0, at=START, running=("istio-proxy",))
)


def with_container(item: Trial) -> Trial:
    return replace(item, spec=replace(item.spec, primary_container_name="main"))


def test_the_condition_says_that_only_other_containers_run() -> None:
    actions = due(with_container(at_work()), JOB, pods=PROXY, seconds=5)

    after = written(actions)
    assert words(after)[:2] == ("Running", "TrialContainersRunning")
    assert last(after).message == (
        "Trial is running; container main has ended with exit code 0, but its pod still runs"
        " istio-proxy; the trial ends without them after 0:01:00"
    )
    assert state_of(after) is TrialState.RUNNING
    assert [reason for _, reason, _ in events(actions)] == ["TrialContainersRunning"]
    wake = (WakeAt(moment=START + POLICY.container_grace),) if POLICY.container_grace else ()
    assert due(after, JOB, pods=PROXY, seconds=6) == wake


def test_a_trial_whose_training_ended_well_is_measured_though_another_container_runs() -> None:
    item = with_container(at_work())

    assert due(item, JOB, pods=PROXY, seconds=60) == (ReadObservation(trial=item),)
    stored = StoredMetrics(metrics=loss("0.5"))
    (status, *_) = due(item, JOB, stored, pods=PROXY, seconds=60)
    assert isinstance(status, WriteStatus)
    assert isinstance(status.target, Trial)
    assert last(status.target).type == "Succeeded"
    assert "its pod still runs istio-proxy after 0:01:00" in last(status.target).message


def test_a_trial_whose_training_failed_has_failed_though_another_container_runs() -> None:
    crashed = PrimaryEnd(exit_code=3, at=START, running=("istio-proxy",))
    pods = replace(PROXY, primary_end=crashed)

    end = written(due(with_container(at_work()), JOB, pods=pods, seconds=60))

    assert last(end).type == "Failed"
    assert "container main has ended with exit code 3" in last(end).message


@pytest.mark.parametrize(("limit", "said"), [(None, "6"), (2, "2")])
def test_a_failed_training_whose_job_cannot_retry_says_why_and_what_to_do(
    limit: int | None, said: str
) -> None:
    crashed = PrimaryEnd(exit_code=3, at=START, running=("istio-proxy",))
    pods, job = replace(PROXY, primary_end=crashed), {**JOB, "spec": {"backoffLimit": limit}}

    end = written(due(with_container(at_work()), job, pods=pods, seconds=60))

    assert (
        f"the retries of its Job (backoffLimit {said}) are not used, because a Job counts a failure"
        " when the pod has ended: make istio-proxy a native sidecar"
    ) in last(end).message


def test_a_training_that_ended_well_and_a_job_without_retries_say_nothing_of_retries() -> None:
    crashed = PrimaryEnd(exit_code=3, at=START, running=("istio-proxy",))
    job = {**JOB, "spec": {"backoffLimit": 0}}

    pods = replace(PROXY, primary_end=crashed)
    failed = written(due(with_container(at_work()), job, pods=pods, seconds=60))
    stored = StoredMetrics(metrics=loss("0.5"))
    (succeeded, *_) = due(with_container(at_work()), JOB, stored, pods=PROXY, seconds=60)

    assert isinstance(succeeded, WriteStatus)
    assert isinstance(succeeded.target, Trial)
    assert "retries" not in last(failed).message
    assert "retries" not in last(succeeded.target).message


def test_without_a_limit_the_job_decides() -> None:
    policy = replace(POLICY, container_grace=None)
    after = written(due(with_container(at_work()), JOB, pods=PROXY, policy=policy))

    assert due(after, JOB, pods=PROXY, policy=policy, seconds=10**6) == ()


@pytest.mark.parametrize("field", ["completions", "parallelism"])
def test_a_job_of_several_pods_decides_by_itself(field: str) -> None:
    several = {**JOB, "spec": {field: 2}}

    assert due(with_container(at_work()), several, pods=PROXY, seconds=600) == ()


# -- early stopping -------------------------------------------------------------------------


def stopped(**changes: object) -> Trial:
    return mark_early_stopped(at_work(**changes), START)


def test_an_early_stopped_trial_runs_on_in_katibs_words() -> None:
    item = stopped()

    assert words(item) == ("EarlyStopped", "TrialEarlyStopped", "Trial is early stopped")
    assert [c.status.value for c in item.status.conditions if c.type == "Running"] == ["True"]
    assert item.status.completion_time is None
    assert mark_early_stopped(item, START) is item


def test_a_trial_that_has_ended_cannot_be_stopped_early() -> None:
    over = end_trial(at_work(), ConditionType.SUCCEEDED, START)

    assert mark_early_stopped(over, START) is over


def test_an_early_stopped_trial_is_observed_before_its_job_is_deleted() -> None:
    item = stopped()
    assert kinds(due(item, DONE)) == "ReadObservation"

    actions = due(item, DONE, StoredMetrics(metrics=loss("3")), seconds=2)
    after = written(actions)
    assert [(kind, reason) for kind, reason, _ in events(actions)] == [
        ("Normal", "TrialEarlyStopped")
    ]
    assert after.status.observation is not None
    assert after.status.completion_time == "2026-01-02T03:04:07Z"
    assert last(after).type == "EarlyStopped"

    assert kinds(due(after, DONE)) == "DeleteJob"
    assert due(after, None) == ()


def test_the_job_of_an_early_stopped_trial_may_end_by_itself_but_not_for_ever() -> None:
    (wake,) = due(stopped(), JOB, seconds=59)
    assert wake == WakeAt(moment=START + timedelta(seconds=60))

    assert kinds(due(stopped(), JOB, seconds=60)) == "ReadObservation"


@pytest.mark.parametrize("moment", ["", "yesterday", "2026-01-02T11:04:05Z"])
def test_a_stop_whose_time_cannot_be_is_not_waited_for(moment: str) -> None:
    item = stopped()
    *before, last_one = item.status.conditions
    conditions = (*before, replace(last_one, last_transition_time=moment or None))
    item = replace(item, status=replace(item.status, conditions=conditions))

    assert kinds(due(item, JOB)) == "ReadObservation"


def test_an_early_stopped_trial_without_metrics_says_so_in_the_end() -> None:
    assert kinds(due(stopped(), None, AWAY, seconds=1)) == "WakeAt"

    actions = due(stopped(), None, AWAY, seconds=120)
    after = written(actions)

    assert after.status.observation is not None
    assert after.status.observation.metrics[0].latest == UNAVAILABLE
    assert [reason for _, reason, _ in events(actions)] == ["MetricsUnavailable"]
    assert state_of(after) is TrialState.EARLY_STOPPED


# -- after the end --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", [ConditionType.SUCCEEDED, ConditionType.FAILED, ConditionType.METRICS_UNAVAILABLE]
)
def test_the_job_of_a_trial_that_has_ended_is_deleted_unless_it_is_retained(
    kind: ConditionType,
) -> None:
    over, kept = end_trial(at_work(), kind, START), end_trial(at_work(retain=True), kind, START)

    actions = due(over, DONE)
    assert kinds(actions) == "DeleteJob"
    assert events(actions) == [("Normal", "JobDeleted", "Job t has been deleted")]
    assert due(kept, DONE) == ()
    assert due(over, None) == ()


def test_a_job_that_is_going_is_not_deleted_again() -> None:
    going = {**DONE, "metadata": {"deletionTimestamp": "2026-01-02T03:04:05Z"}}

    assert due(end_trial(at_work(), ConditionType.FAILED, START), going) == ()


def test_a_killed_trials_job_is_deleted_even_if_it_is_retained() -> None:
    assert (
        kinds(due(end_trial(at_work(retain=True), ConditionType.KILLED, START), JOB)) == "DeleteJob"
    )


@pytest.mark.parametrize("first", [kind for kind in ConditionType if kind.value in set(TrialState)])
@pytest.mark.parametrize("second", ["Succeeded", "Failed", "MetricsUnavailable", "Killed"])
def test_what_has_ended_stays_as_it_ended(first: ConditionType, second: str) -> None:
    if first is ConditionType.RUNNING:
        return  # it has not ended
    over = (
        mark_early_stopped(at_work(), START)
        if first is ConditionType.EARLY_STOPPED
        else end_trial(at_work(), first, START)
    )

    assert end_trial(over, ConditionType(second), START) is over
    assert mark_running(over, START) is over


# -- deletion -------------------------------------------------------------------------------


def deleted() -> Trial:
    item = at_work()
    meta = replace(item.metadata, deletion_timestamp="2026-01-02T03:04:05Z")
    return replace(item, metadata=meta)


def test_a_deleted_trials_job_goes_first_then_its_metrics_then_itself() -> None:
    assert kinds(due(deleted(), JOB)) == "DeleteJob, WakeAt"
    assert kinds(due(deleted(), None)) == "DeleteObservations, Release"


def test_a_job_that_will_not_go_does_not_hold_a_deleted_trial_for_ever() -> None:
    assert kinds(due(deleted(), JOB, seconds=60)) == "DeleteJob, DeleteObservations, Release"


def test_a_store_that_is_away_does_not_hold_a_deleted_trial_for_ever() -> None:
    assert kinds(due(deleted(), None, AWAY, seconds=59)) == "WakeAt"

    actions = due(deleted(), None, AWAY, seconds=60)
    assert kinds(actions) == "DeleteObservationsLater, Release"
    ((kind, reason, message),) = events(actions)
    assert (kind, reason) == ("Warning", "MetricsNotDeleted")
    assert "connection refused" in message


def test_a_deleted_trial_that_is_not_held_by_us_is_left_alone() -> None:
    item = deleted()
    item = replace(item, metadata=replace(item.metadata, finalizers=("theirs",)))

    assert due(item, JOB) == ()


# -- the whole table ------------------------------------------------------------------------


def test_what_is_due_twice_is_the_same_and_nothing_is_due_when_it_is_done() -> None:
    for item in (trial(), living(), at_work(), stopped()):
        for job in (None, JOB, DONE, BROKEN):
            observed = StoredMetrics(metrics=loss("1"))
            first = due(item, job, observed, seconds=1)
            assert first == due(item, job, observed, seconds=1)
            statuses = [a.target for a in first if isinstance(a, WriteStatus)]
            for after in statuses:
                assert isinstance(after, Trial)
                assert WriteStatus(target=after) not in due(after, job, observed, seconds=2)


# -- a pod in which nothing runs ------------------------------------------------------------

ROOM = PodFacts(injected=True, stuck="Unschedulable: 0/3 nodes are available", stuck_since=START)
PULL = replace(ROOM, stuck="ImagePullBackOff of container main: not found")


def test_a_pod_that_waits_for_a_moment_is_no_news() -> None:
    actions = due(at_work(), JOB, pods=ROOM, seconds=10)

    assert actions == (WakeAt(moment=START + POLICY.pending_patience),)


def test_a_pod_that_waits_for_long_is_reported_in_a_condition_of_its_trial() -> None:
    actions = due(at_work(), JOB, pods=ROOM, seconds=30)

    after = written(actions)
    assert words(after) == (
        "Running",
        "TrialPodsPending",
        "Trial's pod does not run: Unschedulable: 0/3 nodes are available",
    )
    assert state_of(after) is TrialState.PENDING
    assert events(actions) == [
        ("Warning", "TrialPodsPending", "Unschedulable: 0/3 nodes are available")
    ]


def test_it_is_reported_once_though_its_details_change_and_again_where_the_cause_does() -> None:
    reported = written(due(at_work(), JOB, pods=ROOM, seconds=30))
    fewer = replace(ROOM, stuck="Unschedulable: 0/2 nodes are available")

    assert due(reported, JOB, pods=fewer, seconds=40) == ()
    again = written(due(reported, JOB, pods=PULL, seconds=40))
    assert last(again).message.endswith("ImagePullBackOff of container main: not found")
    assert [c.type for c in again.status.conditions] == ["Created", "Running"]


def test_a_pod_that_gets_what_it_waited_for_runs() -> None:
    reported = written(due(at_work(), JOB, pods=ROOM, seconds=30))

    after = written(due(reported, JOB, pods=PodFacts(injected=True), seconds=60))

    assert words(after) == ("Running", "TrialRunning", "Trial is running")


def test_a_new_wait_of_a_pod_that_was_reported_makes_no_running_in_between() -> None:
    reported = written(due(at_work(), JOB, pods=ROOM, seconds=30))
    anew = replace(PULL, stuck_since=START + timedelta(seconds=35))

    actions = due(reported, JOB, pods=anew, seconds=40)

    assert kinds(actions) == "WakeAt"


def test_with_a_deadline_a_pod_in_which_nothing_runs_fails_its_trial() -> None:
    policy = replace(POLICY, start_deadline=timedelta(minutes=5))
    reported = written(due(at_work(), JOB, pods=PULL, seconds=30, policy=policy))
    (wake,) = due(reported, JOB, pods=PULL, seconds=40, policy=policy)
    assert wake == WakeAt(moment=START + timedelta(minutes=5))

    after = written(due(reported, JOB, pods=PULL, seconds=300, policy=policy))

    assert state_of(after) is TrialState.FAILED
    assert "nothing ran in its pod for 0:05:00: ImagePullBackOff" in last(after).message


def test_a_job_that_ends_while_its_pod_was_stuck_ends_the_trial() -> None:
    reported = written(due(at_work(), JOB, pods=ROOM, seconds=30))

    after = written(due(reported, BROKEN, pods=ROOM, seconds=60))

    assert state_of(after) is TrialState.FAILED
    assert last(after).type == "Failed"


# -- a collector that crashes while the training runs ---------------------------------------

CRASHING = PodFacts(
    injected=True,
    collector_failed="OOMKilled, exit code 137",
    termination_message='{"why": "no memory"}',
    crashing_since=START,
)


def test_a_collector_that_crashes_once_is_no_news() -> None:
    assert due(at_work(), JOB, pods=CRASHING, seconds=10) == (
        WakeAt(moment=START + POLICY.pending_patience),
    )


def test_a_collector_that_stays_away_is_reported_once_and_the_trial_runs_on() -> None:
    actions = due(at_work(), JOB, pods=CRASHING, seconds=30)

    after = written(actions)
    why = "the metrics collector failed (OOMKilled, exit code 137): no memory"
    assert words(after) == ("Running", "TrialCollectorCrashed", f"Trial is running; {why}")
    assert state_of(after) is TrialState.RUNNING
    assert events(actions) == [("Warning", "TrialCollectorCrashed", why)]
    assert due(after, JOB, pods=CRASHING, seconds=60) == ()
    assert due(after, JOB, pods=PodFacts(injected=True), seconds=90) == ()


def test_a_trial_whose_collector_crashed_ends_like_any_other() -> None:
    after = written(due(at_work(), JOB, pods=CRASHING, seconds=30))

    ended = written(due(after, DONE, StoredMetrics(metrics=loss("0.5")), seconds=60))

    assert [(c.type, c.reason) for c in ended.status.conditions[1:]] == [
        ("Running", "TrialRunning"),
        ("Succeeded", "TrialSucceeded. Job reason: CompletionsReached"),
    ]
