"""The alerts: each is for an operator to act on. `docs/monitoring.md` has a section for each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from manifests.monitoring.catalog import JOBS

_REPORT: Final = 'method="/api.v1.beta1.DBManager/ReportObservationLog"'
_ENTRIES: Final = r'name=~".*\\.trialwatch\\.dev"'
"""The entries of trialwatch's webhook configurations, in the API server's own metrics."""
_DAYS_14: Final = 14 * 86400


class Severity(StrEnum):
    """How soon an operator must act."""

    CRITICAL = "critical"
    """Now: experiments do not go on, or metrics may be lost."""
    WARNING = "warning"
    """Today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert."""

    name: str
    expression: str
    duration: str
    """How long the expression must hold."""
    severity: Severity
    summary: str
    """One sentence; `{{ $labels.x }}` and `{{ $value }}` as in Prometheus."""


ALERTS: Final = (
    Alert(
        name="TrialwatchProgramDown",
        expression=(
            f'count by (job) (count_over_time(up{{job=~"{JOBS}"}}[1d]))'
            f' unless on (job) (sum by (job) (up{{job=~"{JOBS}"}}) > 0)'
        ),
        duration="5m",
        severity=Severity.CRITICAL,
        summary="No replica of {{ $labels.job }} answers.",
    ),
    Alert(
        name="TrialwatchNoLeader",
        expression="sum (trialwatch_controller_leading) < 1",
        duration="2m",
        severity=Severity.CRITICAL,
        summary="No replica of the controller leads, so no experiment goes on.",
    ),
    Alert(
        name="TrialwatchReconcileErrors",
        expression="sum by (kind) (rate(trialwatch_controller_turn_errors_total[10m])) > 0",
        duration="15m",
        severity=Severity.WARNING,
        summary="The controller fails to reconcile some {{ $labels.kind }}s.",
    ),
    Alert(
        name="TrialwatchInternalErrors",
        expression=(
            "sum (increase(trialwatch_controller_faults_total[15m])) > 0"
            " or sum (increase(trialwatch_webhook_faults_total[15m])) > 0"
            ' or sum (increase(trialwatch_dbmanager_requests_total{code="INTERNAL"}[15m])) > 0'
            " or sum (increase("
            'trialwatch_suggestion_searches_killed_total{reason="died"}[15m])) > 0'
        ),
        duration="0m",
        severity=Severity.WARNING,
        summary="A program of trialwatch had an internal error.",
    ),
    Alert(
        name="TrialwatchControllerBacklog",
        expression="sum by (kind) (trialwatch_controller_queue_depth) > 100",
        duration="10m",
        severity=Severity.WARNING,
        summary="{{ $value }} {{ $labels.kind }}s wait for the controller.",
    ),
    Alert(
        name="TrialwatchDatabaseDown",
        expression="trialwatch_dbmanager_database_up == 0",
        duration="2m",
        severity=Severity.CRITICAL,
        summary="The database does not answer the DB manager, so no metrics are stored.",
    ),
    Alert(
        name="TrialwatchReportsNotStored",
        expression=(
            f"sum by (code) (rate(trialwatch_dbmanager_requests_total{{{_REPORT},"
            'code=~"UNAVAILABLE|RESOURCE_EXHAUSTED|DEADLINE_EXCEEDED|INTERNAL"}[5m])) > 0'
        ),
        duration="5m",
        severity=Severity.CRITICAL,
        summary="The DB manager cannot store reports ({{ $labels.code }}).",
    ),
    Alert(
        name="TrialwatchReportsRefused",
        expression=(
            f"sum by (code) (rate(trialwatch_dbmanager_requests_total{{{_REPORT},"
            'code=~"INVALID_ARGUMENT|FAILED_PRECONDITION"}[10m])) > 0'
        ),
        duration="5m",
        severity=Severity.WARNING,
        summary="The DB manager refuses reports of trials ({{ $labels.code }}).",
    ),
    Alert(
        name="TrialwatchCallersRefused",
        expression=(
            "sum by (job, reason) (rate(trialwatch_dbmanager_calls_refused_total[10m])) > 0"
            " or sum by (job, reason) (rate(trialwatch_suggestion_calls_refused_total[10m])) > 0"
        ),
        duration="10m",
        severity=Severity.WARNING,
        summary="{{ $labels.job }} refuses callers ({{ $labels.reason }}).",
    ),
    Alert(
        name="TrialwatchReportsLost",
        expression="sum (increase(trialwatch_dbmanager_sequence_gaps_total[15m])) > 0",
        duration="0m",
        severity=Severity.WARNING,
        summary="Reports of trials never reached the DB manager.",
    ),
    Alert(
        name="TrialwatchCertificateExpires",
        expression=(
            "min by (job) (trialwatch_webhook_certificate_expires_seconds"
            " or trialwatch_dbmanager_certificate_expires_seconds"
            f" or trialwatch_suggestion_certificate_expires_seconds) - time() < {_DAYS_14}"
        ),
        duration="1h",
        severity=Severity.CRITICAL,
        summary="A certificate is valid for less than 14 days, or missing: {{ $labels.job }}.",
    ),
    Alert(
        name="TrialwatchPodsRefused",
        expression=(
            'sum by (reason) (rate(trialwatch_webhook_reviews_total{verdict="refuse"}[10m])) > 0'
        ),
        duration="5m",
        severity=Severity.WARNING,
        summary="The webhook refuses pods of trials ({{ $labels.reason }}).",
    ),
    Alert(
        name="TrialwatchWebhookCannotReadCluster",
        expression=(
            "min by (kind) (trialwatch_webhook_cache_up_to_date) == 0"
            ' or sum by (kind) (rate(trialwatch_webhook_lookups_total{source="failed"}[5m])) > 0'
        ),
        duration="5m",
        severity=Severity.WARNING,
        summary="The webhook cannot look up {{ $labels.kind }} objects.",
    ),
    Alert(
        name="TrialwatchAdmissionUnreachable",
        expression=(
            f"sum by (name) (rate(apiserver_admission_webhook_rejection_count{{{_ENTRIES},"
            'error_type="calling_webhook_error"}[5m])) > 0'
            " or sum by (name) (rate("
            f"apiserver_admission_webhook_fail_open_count{{{_ENTRIES}}}[5m])) > 0"
        ),
        duration="2m",
        severity=Severity.CRITICAL,
        summary="The API server cannot call the webhook for {{ $labels.name }}.",
    ),
    Alert(
        name="TrialwatchSearchKilled",
        expression=(
            "sum by (reason) (increase("
            'trialwatch_suggestion_searches_killed_total{reason=~"deadline|memory"}[15m])) > 0'
        ),
        duration="0m",
        severity=Severity.WARNING,
        summary="A search was stopped ({{ $labels.reason }}); its experiment gets no new trials.",
    ),
    Alert(
        name="TrialwatchSearchBacklog",
        expression=(
            "sum (trialwatch_suggestion_calls_waiting) > 0"
            " or sum (increase(trialwatch_suggestion_calls_dropped_total"
            '{reason=~"queue_full|deadline"}[15m])) > 0'
        ),
        duration="10m",
        severity=Severity.WARNING,
        summary="Experiments wait for the suggestion service.",
    ),
)
