"""Read and write the object `Suggestion`."""

from __future__ import annotations

from api.types import (
    Json,
    ObjectMeta,
    ResumePolicy,
    SuggestedTrial,
    Suggestion,
    SuggestionSpec,
    SuggestionStatus,
)

from .algorithms import (
    parse_algorithm,
    parse_early_stopping,
    parse_setting,
    parse_stop_rule,
    render_algorithm,
    render_setting,
    render_stop_rule,
)
from .fields import Field
from .metadata import (
    check_head,
    parse_condition,
    parse_metadata,
    render_condition,
    render_head,
    render_metadata,
)
from .parameters import parse_assignment, render_assignment
from .rendering import maybe, present

KIND = "Suggestion"


def parse_suggestion(document: object, *, unknown_fields: bool = True) -> Suggestion:
    """Read a Suggestion from JSON; for `unknown_fields` see `parse_experiment`.

    Raises:
        SpecError: the object has faults; all are reported at once.
    """
    f = Field(document)
    return f.accept(f.record(read_suggestion), unknown=unknown_fields)


def read_suggestion(f: Field) -> Suggestion:
    """Read a Suggestion from a field; faults stay in the field."""
    check_head(f, KIND)
    return Suggestion(
        metadata=f.at("metadata").record(parse_metadata) or ObjectMeta(),
        spec=f.at("spec").record(_parse_spec) or SuggestionSpec(),
        status=_parse_status(f.at("status")),
    )


def _parse_spec(f: Field) -> SuggestionSpec:
    return SuggestionSpec(
        algorithm=f.at("algorithm").record(parse_algorithm),
        early_stopping=f.at("earlyStopping").record(parse_early_stopping),
        requests=f.at("requests").count(),
        resume_policy=f.at("resumePolicy").choice(ResumePolicy, None),
    )


def _parse_status(f: Field) -> SuggestionStatus:
    f.open_ended()
    return SuggestionStatus(
        settings=f.at("algorithmSettings").records(parse_setting),
        suggestion_count=f.at("suggestionCount").count(),
        suggestions=f.at("suggestions").records(_parse_suggested),
        start_time=f.at("startTime").optional_text(),
        completion_time=f.at("completionTime").optional_text(),
        last_reconcile_time=f.at("lastReconcileTime").optional_text(),
        conditions=f.at("conditions").records(parse_condition),
    )


def _parse_suggested(f: Field) -> SuggestedTrial:
    f.open_ended()
    return SuggestedTrial(
        name=f.at("name").text(),
        assignments=f.at("parameterAssignments").records(parse_assignment),
        stop_rules=f.at("earlyStoppingRules").records(parse_stop_rule),
        labels=f.at("labels").text_map(),
    )


def render_suggestion(suggestion: Suggestion) -> dict[str, Json]:
    """Write a Suggestion as Kubernetes JSON; `parse_suggestion` reads back an equal value."""
    return render_head(KIND) | present(
        {
            "metadata": render_metadata(suggestion.metadata),
            "spec": _render_spec(suggestion.spec),
            "status": render_suggestion_status(suggestion.status) or None,
        }
    )


def _render_spec(spec: SuggestionSpec) -> Json:
    return present(
        {
            "algorithm": maybe(spec.algorithm, render_algorithm),
            "earlyStopping": maybe(spec.early_stopping, render_algorithm),
            "requests": spec.requests or None,
            "resumePolicy": spec.resume_policy,
        }
    )


def render_suggestion_status(status: SuggestionStatus) -> dict[str, Json]:
    """Write only `status`, for the status subresource."""
    return present(
        {
            "algorithmSettings": tuple(render_setting(s) for s in status.settings),
            "suggestionCount": status.suggestion_count or None,
            "suggestions": tuple(_render_suggested(s) for s in status.suggestions),
            "startTime": status.start_time,
            "completionTime": status.completion_time,
            "lastReconcileTime": status.last_reconcile_time,
            "conditions": tuple(render_condition(c) for c in status.conditions),
        }
    )


def _render_suggested(trial: SuggestedTrial) -> Json:
    return present(
        {
            "name": trial.name,
            "parameterAssignments": tuple(render_assignment(a) for a in trial.assignments),
            "earlyStoppingRules": tuple(render_stop_rule(rule) for rule in trial.stop_rules),
            "labels": dict(trial.labels) or None,
        }
    )
