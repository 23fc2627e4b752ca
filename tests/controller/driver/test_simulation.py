"""A whole experiment in a world where everything breaks: what holds at any moment, and at the end.

Jobs succeed, fail and vanish; metrics come late, never, or as nan; the store and the search are
away; the controller is killed between any two calls, calls fail that were done, an older
controller's decisions are carried out late; users change the budget and delete trials.
"""

from __future__ import annotations

import contextlib
import math
import random
from dataclasses import replace
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from api.errors import RemoteError
from api.names import NUMBER_LABEL, UNAVAILABLE
from api.objects.validation_update import completed
from api.types import Experiment, ExperimentStatus, Trial
from controller.driver.action_runner import ActionRunner, sequentially
from controller.driver.ask_suggestions import NotBeforeError, SuggestionRequester
from controller.driver.driver import Driver
from controller.driver.leftover_rows import LeftoverRows
from controller.driver.memory import Memory, MemorySearchServices, MemorySuggestions
from controller.reconcile.actions import Action, CreateJob
from controller.reconcile.counting import with_counts
from controller.reconcile.experiments import reconcile_experiment
from controller.reconcile.trial_facts import facts_of_trials
from controller.reconcile.trial_states import (
    ACTIVE_STATES,
    TrialState,
    has_ended,
    is_measured,
    state_of,
)
from controller.reconcile.trials import reconcile_trial
from controller.reconcile.views import (
    ExperimentView,
    JobFacts,
    Key,
    Policy,
    StoredMetrics,
    TrialView,
    key_of,
)
from tests.controller.experiment_harness import KEY, START, experiment, job_with, loss
from tests.controller.failing_calls import (
    CallFailure,
    Crash,
    FailingCall,
    failing_ports,
    run_without_waiting,
)
from tests.controller.reconcile.test_early_stopping import stopped_by_katib

_TEXTS = ("0.5", "0.25", "-1", "3e1", "0.125", "nan", "inf", "", "text")
_FAILURES = st.none() | st.sampled_from(CallFailure)
_PLACES = st.integers(0, 12)
_WHO = st.integers(0, 9)


class Experiments(RuleBasedStateMachine):
    """The rules are what may happen; the invariants are what we promise."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.memory = Memory(lambda: self.now)
        self.failing = FailingCall()
        self.policy = Policy(stop_at_end=True)
        self.seed = 0
        self.most_parallel = self.most_trials = 0
        self.names: dict[str, str] = {}
        """By a trial's number, its name."""
        self.gone: set[str] = set()
        self.final: dict[str, TrialState] = {}
        self.printed: dict[str, str] = {}
        self.late: list[tuple[Action, ...]] = []
        self.made_late: set[Key] = set()

    # -- what is done -----------------------------------------------------------------------

    @initialize(
        most=st.integers(1, 6),
        parallel=st.integers(1, 3),
        failed=st.none() | st.integers(0, 3),
        goal=st.none() | st.just(-0.5),
        size=st.none() | st.integers(0, 5),
        stop=st.booleans(),
        retain=st.booleans(),
        deployed=st.booleans(),
        seed=st.integers(0, 2**32),
    )
    def begin(  # noqa: PLR0917 - drawn by name
        self,
        most: int,
        parallel: int,
        failed: int | None,
        goal: float | None,
        size: int | None,
        stop: bool,  # noqa: FBT001
        retain: bool,  # noqa: FBT001
        deployed: bool,  # noqa: FBT001
        seed: int,
    ) -> None:
        made = experiment(
            goal=goal,
            max_trial_count=most,
            parallel_trial_count=parallel,
            max_failed_trial_count=failed,
        )
        assert made.spec.trial_template is not None
        kept = replace(made.spec.trial_template, retain=retain)
        self.memory.objects.apply(replace(made, spec=replace(made.spec, trial_template=kept)))
        self.memory.suggestions = MemorySuggestions(size)
        self.memory.services = MemorySearchServices(deployed=deployed)
        self.policy = Policy(stop_at_end=stop)
        self.most_parallel, self.most_trials, self.seed = parallel, most, seed

    @rule(failure=_FAILURES, at=_PLACES)
    def experiment_turn(self, failure: CallFailure | None, at: int) -> None:
        self._fail_at(failure, at)
        with contextlib.suppress(Crash):
            run_without_waiting(self._driver().experiment(KEY, self.now))

    @rule(who=_WHO, failure=_FAILURES, at=_PLACES)
    def trial_turn(self, who: int, failure: CallFailure | None, at: int) -> None:
        for trial in self._some(who):
            self._fail_at(failure, at)
            with contextlib.suppress(Crash):
                run_without_waiting(self._driver().trial(key_of(trial), self.now))

    @rule()
    def everything_settles(self) -> None:
        self._settle()

    @rule(who=_WHO)
    def decide_now_and_act_late(self, who: int) -> None:
        """An older controller has decided, and was held up."""
        objects = self.memory.objects
        view = ExperimentView(
            experiment=self.experiment,
            suggestion=objects.suggestions.get(KEY),
            trials=tuple(objects.all_trials.values()),
        )
        self.late.append(reconcile_experiment(view, self.now, self.policy))
        for trial in self._some(who):
            self.late.append(reconcile_trial(self._view(trial), self.now, self.policy))

    @precondition(lambda self: self.late)
    @rule()
    def act_late(self) -> None:
        due, self.late = self.late, []
        self._fail_at(None, 0)
        for actions in due:
            # As in a driver: if an action fails, the rest of its list is skipped.
            with contextlib.suppress(RemoteError, NotBeforeError):
                for action in actions:
                    self._act(action)

    def _act(self, action: Action) -> None:
        if isinstance(action, CreateJob):
            if key_of(action.trial) not in self._living():
                return
            # Its trial may be about to go: Kubernetes deletes what a trial owned, in the end.
            self.made_late.add(key_of(action.trial))
        run_without_waiting(self._runner().run((action,), self.now))

    # -- what happens -----------------------------------------------------------------------

    @rule(who=_WHO, kind=st.sampled_from(["Complete", "Complete", "Failed"]))
    def a_job_ends(self, who: int, kind: str) -> None:
        for key, facts in self._job(who):
            assert facts.document is not None
            self.memory.jobs.facts[key] = replace(facts, document=job_with(facts.document, kind))

    @rule(who=_WHO)
    def a_job_vanishes(self, who: int) -> None:
        for key, facts in self._job(who):
            self.memory.jobs.facts[key] = replace(facts, gone=True)

    @rule(who=_WHO, text=st.sampled_from(_TEXTS))
    def metrics_come(self, who: int, text: str) -> None:
        for trial in self._some(who):
            if trial.metadata.name not in self.printed and not trial.metadata.deletion_timestamp:
                self.printed[trial.metadata.name] = text
                self.memory.observations.metrics[key_of(trial)] = loss(text)

    @rule(who=_WHO)
    def a_trial_is_stopped_early(self, who: int) -> None:
        for trial in self._some(who):
            self._fail_at(None, 0)
            run_without_waiting(self._driver().stop_early(key_of(trial), self.now))

    @rule(who=_WHO)
    def katibs_service_says_that_a_trial_was_stopped(self, who: int) -> None:
        """It does so whatever has become of the trial."""
        for trial in self._some(who):
            self.memory.objects.all_trials[key_of(trial)] = stopped_by_katib(trial, self.now)

    @rule(store=st.booleans(), search=st.booleans())
    def others_are_away_or_back(self, store: bool, search: bool) -> None:  # noqa: FBT001
        self.memory.observations.away = "it is down" if store else ""
        self.memory.suggestions.away = "it is down" if search else ""

    @rule(away=st.booleans(), ready=st.booleans())
    def the_searchs_own_service_comes_and_goes(self, away: bool, ready: bool) -> None:  # noqa: FBT001
        self.memory.services.away = "the cluster refuses" if away else ""
        self.memory.services.ready = ready

    @rule(seconds=st.sampled_from([0.1, 1, 30, 90, 400]))
    def time_passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(parallel=st.integers(1, 3), more=st.integers(0, 2))
    def the_user_changes_the_budget(self, parallel: int, more: int) -> None:
        spec = self.experiment.spec
        most = (spec.max_trial_count or 0) + more
        changed = replace(spec, parallel_trial_count=parallel, max_trial_count=most)
        self.memory.objects.apply(replace(self.experiment, spec=changed))
        self.most_parallel = max(parallel, self.most_parallel)
        self.most_trials = max(most, self.most_trials)

    @rule(who=_WHO)
    def the_user_deletes_a_trial(self, who: int) -> None:
        for trial in self._some(who):
            run_without_waiting(self.memory.objects.delete(trial))

    # -- what holds -------------------------------------------------------------------------

    @invariant()
    def the_budget_is_kept(self) -> None:
        trials = self._trials()
        assert len([t for t in trials if state_of(t) in ACTIVE_STATES]) <= self.most_parallel
        assert len(trials) <= self.most_trials

    @invariant()
    def no_trial_is_made_twice(self) -> None:
        now = {trial.metadata.name for trial in self._trials()}
        assert not now & self.gone, "a trial that was deleted has come back"
        for trial in self._trials():
            number = trial.metadata.labels[NUMBER_LABEL]
            assert self.names.setdefault(number, trial.metadata.name) == trial.metadata.name
        self.gone |= set(self.names.values()) - now - self._written_down()

    @invariant()
    def what_has_ended_stays_as_it_ended(self) -> None:
        for trial in self._trials():
            state, name = state_of(trial), trial.metadata.name
            if has_ended(trial):
                assert self.final.setdefault(name, state) is state
            else:
                assert name not in self.final

    @invariant()
    def the_best_trial_is_one_that_has_ended(self) -> None:
        best = self.experiment.status.optimal_trial
        for trial in self._trials():
            if best is not None and trial.metadata.name == best.name:
                assert is_measured(trial)
                assert trial.status.observation == best.observation

    @invariant()
    def the_record_stays_small(self) -> None:
        assert len(self._written_down()) <= self.most_parallel

    def teardown(self) -> None:
        """All comes back, jobs come to their ends: then the experiment does, and is right."""
        if not self.most_trials:
            return
        self.memory.observations.away = self.memory.suggestions.away = ""
        self.memory.services.away, self.memory.services.ready = "", True
        for _ in range(60):
            self._settle()
            if completed(self.experiment) and self._at_rest():
                break
            for index in range(len(self.memory.jobs.facts)):
                self.metrics_come(index, "0.75")
                self.a_job_ends(index, "Complete")
            self.time_passes(30)
        status, trials = self.experiment.status, self._trials()
        assert completed(self.experiment), f"seed {self.seed}: it does not end: {status}"
        assert self._at_rest(), f"seed {self.seed}: a trial does not end"
        assert status == with_counts(status, facts_of_trials(trials), None)
        self._check_optimum(status, trials)
        self._check_jobs(trials)
        assert not self.memory.services.existing, "a service outlives its experiment"

    def _check_optimum(self, status: ExperimentStatus, trials: list[Trial]) -> None:
        """Compare with what was printed; a best trial that was deleted is not forgotten."""
        good = [
            (float(self.printed[t.metadata.name]), t.metadata.name)
            for t in trials
            if state_of(t) in (TrialState.SUCCEEDED, TrialState.EARLY_STOPPED)
            and t.status.observation is not None
            and t.status.observation.metrics[0].min != UNAVAILABLE
        ]
        assert all(math.isfinite(value) for value, _ in good)
        if good:
            assert status.optimal_trial is not None
            best = min(value for value, _ in good)
            assert float(status.optimal_trial.observation.metrics[0].min) == best

    def _check_jobs(self, trials: list[Trial]) -> None:
        names = {trial.metadata.name for trial in trials}
        template = self.experiment.spec.trial_template
        for key, facts in self.memory.jobs.facts.items():
            if facts.present and (key.name in names or key not in self.made_late):
                assert template is not None
                assert key.name in names, "a job outlives its trial"
                assert template.retain, "a job outlives the end of its trial"

    # -- helpers of the rules ---------------------------------------------------------------

    @property
    def experiment(self) -> Experiment:
        return self.memory.objects.experiments[KEY]

    def _driver(self) -> Driver:
        """Return a driver that knows nothing, as after a restart."""
        self.seed += 1
        return Driver(
            failing_ports(self.memory, self.failing), random.Random(self.seed), self.policy
        )

    def _runner(self) -> ActionRunner:
        ports, rng = failing_ports(self.memory, self.failing), random.Random(self.seed)
        requester, rows = (
            SuggestionRequester(ports, rng),
            LeftoverRows(ports.observations, ports.leftovers),
        )
        return ActionRunner(ports, requester, self.policy, sequentially, rows)

    def _fail_at(self, failure: CallFailure | None, at: int) -> None:
        self.failing.failure, self.failing.at = failure, at

    def _settle(self) -> None:
        self._fail_at(None, 0)
        run_without_waiting(self._driver().settle(KEY, self.now))

    def _trials(self) -> list[Trial]:
        return list(self.memory.objects.all_trials.values())

    def _living(self) -> set[Key]:
        return {key_of(trial) for trial in self._trials() if not has_ended(trial)}

    def _some(self, who: int) -> list[Trial]:
        trials = self._trials()
        return [trials[who % len(trials)]] if trials else []

    def _job(self, who: int) -> list[tuple[Key, JobFacts]]:
        there = [(k, f) for k, f in self.memory.jobs.facts.items() if f.present]
        return [there[who % len(there)]] if there else []

    def _view(self, trial: Trial) -> TrialView:
        facts = self.memory.jobs.facts.get(key_of(trial), JobFacts())
        stored = StoredMetrics(metrics=self.memory.observations.metrics.get(key_of(trial), ()))
        return TrialView(trial=trial, job=facts, observed=stored)

    def _written_down(self) -> set[str]:
        suggestion = self.memory.objects.suggestions.get(KEY)
        entries = suggestion.status.suggestions if suggestion else ()
        return {entry.name for entry in entries}

    def _at_rest(self) -> bool:
        return all(
            has_ended(trial)
            and trial.status.completion_time
            and not trial.metadata.deletion_timestamp
            for trial in self._trials()
        )


Experiments.TestCase.settings = settings(stateful_step_count=40)
TestExperiments = Experiments.TestCase
