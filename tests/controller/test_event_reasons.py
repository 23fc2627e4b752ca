"""Events: each reason stands for one fact, has one type, and is explained in docs/events.md."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from api import names
from api.types import TrialParameter
from controller.on_kube.events import EVENT_SOURCE
from controller.reconcile.event_reasons import EventReason, EventType
from controller.reconcile.experiment_states import END_OF_SEARCH, GOAL, MAX_FAILED, MAX_TRIALS
from controller.reconcile.jobs import JobOutcome, JobState
from controller.reconcile.trials import failure_of_job
from tests.architecture.tree import ROOT
from tests.controller.experiment_harness import ExperimentHarness, experiment, template
from webhook.app import EVENT_SOURCE as WEBHOOK_SOURCE
from webhook.server.pod_handler import POD_REFUSED

TEXT = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
ROWS = {
    row[0].strip("`"): row[1:]
    for line in TEXT.splitlines()
    if line.startswith("| `")
    for row in [[cell.strip() for cell in line.strip("|").split(" | ")]]
}


def test_the_document_explains_each_reason_and_no_other() -> None:
    assert ROWS.keys() == {*EventReason, POD_REFUSED}


@pytest.mark.parametrize("reason", EventReason)
def test_the_document_has_the_type_of_a_reason_and_a_remedy_for_a_warning(
    reason: EventReason,
) -> None:
    _, kind, fact, *remedy = (cell.strip("| ") for cell in ROWS[reason])

    assert kind == reason.type
    assert fact
    if reason.type is EventType.WARNING:
        assert remedy != [""]


@pytest.mark.parametrize("reason", [*EventReason, POD_REFUSED])
def test_a_reason_is_words_in_camel_case_as_kubernetes_has_them(reason: str) -> None:
    assert re.fullmatch(r"(?:[A-Z][a-z]+){2,}", reason)


@pytest.mark.parametrize("completion", [GOAL, MAX_TRIALS, END_OF_SEARCH, MAX_FAILED])
def test_each_end_of_an_experiment_has_a_reason(completion: object) -> None:
    reason = EventReason(completion.reason)  # type: ignore[attr-defined]  # all are Completions

    assert (reason.type is EventType.WARNING) == (completion is MAX_FAILED)


def test_the_document_names_the_components_and_their_limits() -> None:
    text = " ".join(TEXT.split())

    assert f"from `{names.OWN_WEBHOOK}`, all others from `{names.OWN_CONTROLLER}`" in text
    ours, webhooks = EVENT_SOURCE, WEBHOOK_SOURCE
    assert (ours.component, webhooks.component) == (names.OWN_CONTROLLER, names.OWN_WEBHOOK)
    assert f"at most {ours.burst:g} Events at once and then {ours.per_second:g} a second" in text
    assert f"the webhook {webhooks.burst:g} and {webhooks.per_second:g} a second" in text


async def test_an_experiment_whose_template_cannot_be_filled_in_gets_an_event_too() -> None:
    wrong = (TrialParameter(name="lr", reference="nope"),)
    harness = ExperimentHarness(experiment(trial_template=template(trial_parameters=wrong)))

    await harness.settle()

    last = harness.memory.events.all[-1]
    assert last.reason is EventReason.EXPERIMENT_FAILED
    assert "its trial template cannot be filled in" in last.message


async def test_the_event_of_a_failed_job_says_where_its_log_is() -> None:
    harness = ExperimentHarness(experiment())
    await harness.settle()
    trial = harness.trials[0]
    kept = replace(trial, spec=replace(trial.spec, retain_run=True))
    state = JobState(outcome=JobOutcome.FAILED, reason="BackoffLimitExceeded")

    assert failure_of_job(trial, state).endswith("set spec.trialTemplate.retain: true")
    assert failure_of_job(kept, state).endswith(
        "BackoffLimitExceeded; the logs of its pods say why"
    )
