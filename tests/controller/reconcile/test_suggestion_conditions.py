"""The conditions of a Suggestion whose search stalls, ends, or has a service of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from api.types import Condition, Setting, SuggestedTrial, Suggestion
from controller.reconcile import suggestion_conditions, suggestions
from controller.reconcile.views import SuggestionReply
from tests.controller.experiment_harness import START, experiment

NEW = suggestions.suggestion_of(experiment())
LATER = START + timedelta(minutes=1)


def condition(suggestion: Suggestion, kind: str) -> Condition | None:
    return next((one for one in suggestion.status.conditions if one.type == kind), None)


def names() -> str:
    return "exp-bcdf"


def test_a_stalled_search_says_the_newest_cause_and_since_when() -> None:
    first = suggestion_conditions.mark_stalled(NEW, "no route", START)
    second = suggestion_conditions.mark_stalled(first, "list index out of range", LATER)

    stalled = condition(second, "Stalled")
    assert stalled is not None
    assert stalled.message.endswith(
        "did not answer and will be called again: list index out of range"
    )
    assert stalled.last_transition_time == "2026-01-02T03:04:05Z"
    assert stalled.last_update_time == "2026-01-02T03:05:05Z"
    assert suggestion_conditions.mark_stalled(second, "list index out of range", LATER) == second


def test_an_answer_ends_the_stall() -> None:
    stalled = suggestion_conditions.mark_stalled(NEW, "no route", START)
    answer = SuggestionReply(trials=(SuggestedTrial(name="exp-a"),))

    assert condition(suggestions.with_reply(stalled, answer, 1, names, LATER), "Stalled") is None
    assert condition(suggestion_conditions.mark_failed(stalled, "gamma", LATER), "Stalled") is None
    assert condition(suggestion_conditions.mark_finished(stalled, LATER), "Stalled") is None


@pytest.mark.parametrize(("final", "exhausted"), [(True, True), (False, False)])
def test_a_short_answer_is_the_end_only_where_it_is_final(
    final: bool,  # noqa: FBT001 - a parameter of the test
    exhausted: bool,  # noqa: FBT001
) -> None:
    after = suggestions.with_reply(NEW, SuggestionReply(trials=(), final=final), 2, names, START)

    assert suggestion_conditions.is_exhausted(after) is exhausted


def test_what_may_be_deployed_is_known_until_it_was_taken_away() -> None:
    assert not suggestion_conditions.is_deployed(NEW)
    waiting = suggestion_conditions.mark_deploying(NEW, START)
    ready = suggestion_conditions.mark_deployment_ready(waiting, START)
    failed = suggestion_conditions.mark_failed(ready, "gamma", START)

    assert all(map(suggestion_conditions.is_deployed, (waiting, ready, failed)))
    assert not suggestion_conditions.is_deployed(suggestion_conditions.mark_removed(ready, LATER))
    gone = condition(suggestion_conditions.mark_removed(failed, LATER), "DeploymentReady")
    assert gone is not None
    assert (gone.status.value, gone.reason) == ("False", "Suggestion is failed")


def test_the_last_condition_of_a_finished_search_is_that_it_succeeded() -> None:
    """`kubectl get` shows the last one; the service is removed after the end."""
    ready = suggestion_conditions.mark_deployment_ready(NEW, START)
    removed = suggestion_conditions.mark_removed(
        suggestion_conditions.mark_finished(ready, START), LATER
    )

    assert [known.type for known in removed.status.conditions][-2:] == [
        "DeploymentReady",
        "Succeeded",
    ]


def test_it_is_deployed_again_after_a_restart() -> None:
    ended = suggestion_conditions.mark_removed(
        suggestion_conditions.mark_finished(
            suggestion_conditions.mark_deployment_ready(NEW, START), START
        ),
        START,
    )
    again = suggestion_conditions.mark_deploying(
        suggestion_conditions.mark_restarting(ended, LATER), LATER
    )

    assert suggestion_conditions.is_deployed(again)
    ready = condition(again, "DeploymentReady")
    assert ready is not None
    assert ready.reason == "DeploymentNotReady"
    assert condition(again, "Succeeded") is None


def test_many_answers_leave_it_small() -> None:
    item = NEW
    for number in range(100):
        answer = SuggestionReply(trials=(SuggestedTrial(name=f"exp-{number}"),))
        item = suggestions.with_reply(suggestions.with_requests(item, 1), answer, 1, names, START)
        item = suggestions.without_entries(item, {f"exp-{number}"})

    assert (item.spec.requests, item.status.suggestion_count) == (100, 100)
    assert item.status.suggestions == ()
    once = suggestions.with_reply(NEW, SuggestionReply(trials=()), 0, names, START)
    assert item.status.conditions == replace(once.status).conditions


def test_a_running_search_says_what_auto_has_chosen_and_keeps_saying_it() -> None:
    chosen = (Setting(name="chosen", value="gp"), Setting(name="reason", value="30 trials"))
    first = SuggestionReply(trials=(SuggestedTrial(name="exp-a"),), settings=chosen)
    after = suggestions.with_reply(NEW, first, 1, names, START)
    second = SuggestionReply(trials=(SuggestedTrial(name="exp-b"),))

    for one in (after, suggestions.with_reply(after, second, 1, names, LATER)):
        running = condition(one, "Running")
        assert running is not None
        assert running.message == "Suggestion is running: auto chose gp: 30 trials"


def test_a_running_search_says_what_auto_chooses_now() -> None:
    def reply(name: str, search: str) -> SuggestionReply:
        chosen = (Setting(name="chosen", value=search), Setting(name="reason", value="it fits"))
        return SuggestionReply(trials=(SuggestedTrial(name=name),), settings=chosen)

    first = suggestions.with_reply(NEW, reply("exp-a", "gp"), 1, names, START)
    second = suggestions.with_reply(first, reply("exp-b", "cmaes"), 1, names, LATER)

    before, after = condition(first, "Running"), condition(second, "Running")
    assert before is not None
    assert after is not None
    assert after.message == "Suggestion is running: auto chose cmaes: it fits"
    assert after.last_transition_time == before.last_transition_time
    assert after.last_update_time != before.last_update_time
