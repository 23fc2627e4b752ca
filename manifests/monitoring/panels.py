"""The rows and panels of the dashboard, as data.

A query has `$__rate_interval`, which Grafana replaces by a range that has enough scrapes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from manifests.monitoring.catalog import JOBS

_RATE: Final = "[$__rate_interval]"
_USERS: Final = '{namespace=~"$namespace"}'


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel, and the name of its series."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: a number if `is_number`, else a graph over time."""

    title: str
    description: str
    queries: tuple[Query, ...]
    unit: str = "short"
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row of panels under a title."""

    title: str
    panels: tuple[Panel, ...]


def _rate(metric: str, *labels: str) -> Query:
    """Return the events per second of a counter, over all replicas, by labels."""
    by = f" by ({', '.join(labels)})" if labels else ""
    legend = " ".join(f"{{{{{label}}}}}" for label in labels)
    return Query(f"sum{by} (rate({metric}{_RATE}))", legend)


def _per_second(metric: str, legend: str) -> Query:
    return Query(f"sum (rate({metric}{_RATE}))", legend)


def _quantile(share: float, metric: str, *labels: str) -> Query:
    """Return a quantile of a histogram, in seconds, by labels."""
    by = ", ".join(("le", *labels))
    legend = " ".join((f"p{share * 100:g}", *(f"{{{{{label}}}}}" for label in labels)))
    return Query(
        f"histogram_quantile({share:g}, sum by ({by}) (rate({metric}_bucket{_RATE})))", legend
    )


def _ended(kind: str, *events: str) -> tuple[Query, ...]:
    return tuple(
        Query(f"sum (increase(katib_{kind}_{event}_total{_USERS}[1h]))", event.replace("_", " "))
        for event in events
    )


def _access(program: str) -> tuple[Panel, Panel]:
    """Return the panels about the tokens of a gRPC service's callers."""
    without_token = f"trialwatch_{program}_calls_without_token_total"
    return (
        Panel(
            "Refused calls per second",
            "Calls that the caller may not do, by reason.",
            (_rate(f"trialwatch_{program}_calls_refused_total", "reason"),),
            "ops",
        ),
        Panel(
            "Calls without a token per second",
            "With the component `permissive`; 0 before it can be removed.",
            (Query(f"sum by (method) (rate({without_token}{_RATE})) or vector(0)", "{{method}}"),),
            "ops",
        ),
    )


_EXPERIMENTS = Row(
    "Experiments and trials",
    (
        Panel(
            "Experiments by state",
            "How many experiments there are now, by Katib's states.",
            (Query(f"sum by (status) (katib_experiments_current{_USERS})", "{{status}}"),),
        ),
        Panel(
            "Trials by state",
            "How many trials there are now, by Katib's states.",
            (Query(f"sum by (status) (katib_trials_current{_USERS})", "{{status}}"),),
        ),
        Panel(
            "Experiments in the last hour",
            "What has happened to experiments.",
            _ended("experiment", "created", "succeeded", "failed", "deleted"),
        ),
        Panel(
            "Trials in the last hour",
            "What has happened to trials. Many `failed` or `metrics unavailable`: look at the"
            " conditions of the trials.",
            _ended("trial", "created", "succeeded", "failed", "metrics_unavailable", "deleted"),
        ),
    ),
)

_CONTROLLER = Row(
    "Controller",
    (
        Panel(
            "Leaders",
            "Replicas that lead. 1 is right; 0 for more than seconds means that nothing goes on.",
            (Query("sum (trialwatch_controller_leading)"),),
            is_number=True,
        ),
        Panel(
            "Backlog",
            "Objects that are due and wait for a reconcile.",
            (Query("sum by (kind) (trialwatch_controller_queue_depth)", "{{kind}}"),),
        ),
        Panel(
            "Reconciles per second",
            "How many objects were reconciled.",
            (_rate("trialwatch_controller_turn_seconds_count", "kind"),),
            "ops",
        ),
        Panel(
            "Duration of reconciles",
            "With the calls of API server, DB manager and search that belong to it.",
            (
                _quantile(0.5, "trialwatch_controller_turn_seconds", "kind"),
                _quantile(0.99, "trialwatch_controller_turn_seconds", "kind"),
            ),
            "s",
        ),
        Panel(
            "Failed reconciles per second",
            "Errors are tried again later and later; faults are internal errors.",
            (
                Query(
                    f"sum by (kind) (rate(trialwatch_controller_turn_errors_total{_RATE}))",
                    "error {{kind}}",
                ),
                Query(
                    f"sum by (kind) (rate(trialwatch_controller_faults_total{_RATE}))",
                    "fault {{kind}}",
                ),
            ),
            "ops",
        ),
        Panel(
            "Events per second",
            "Kubernetes Events on experiments and trials.",
            (_rate("trialwatch_controller_events_total", "outcome"),),
            "ops",
        ),
    ),
)

_WEBHOOK = Row(
    "Webhook",
    (
        Panel(
            "Reviews of pods per second",
            "What the webhook has answered about pods.",
            (_rate("trialwatch_webhook_reviews_total", "verdict", "reason"),),
            "ops",
        ),
        Panel(
            "Reviews of experiments and trials per second",
            "`fail`: a look-up failed, so the API server refuses the object.",
            (_rate("trialwatch_webhook_experiment_reviews_total", "path", "verdict"),),
            "ops",
        ),
        Panel(
            "Duration of reviews",
            "The API server waits this long before it stores a pod or an experiment.",
            (
                _quantile(0.5, "trialwatch_webhook_review_seconds"),
                _quantile(0.99, "trialwatch_webhook_review_seconds"),
            ),
            "s",
        ),
        Panel(
            "Look-ups per second",
            "Where the webhook found the owners of pods.",
            (_rate("trialwatch_webhook_lookups_total", "source"),),
            "ops",
        ),
        Panel(
            "Cached objects",
            "Objects in the memory of one replica.",
            (Query("max by (kind) (trialwatch_webhook_cached_objects)", "{{kind}}"),),
        ),
        Panel(
            "Caches that are up to date",
            "1, or 0 while a replica cannot watch the kind.",
            (Query("min by (kind) (trialwatch_webhook_cache_up_to_date)", "{{kind}}"),),
        ),
        Panel(
            "Interrupted watches per second",
            "Errors of watches, and the lists that follow them.",
            (
                Query(
                    f"sum by (kind) (rate(trialwatch_webhook_cache_failures_total{_RATE}))",
                    "failure {{kind}}",
                ),
                Query(
                    f"sum by (kind) (rate(trialwatch_webhook_cache_lists_total{_RATE}))",
                    "list {{kind}}",
                ),
            ),
            "ops",
        ),
        Panel(
            "Faults and invalid requests per second",
            "Internal errors of the webhook, and requests that were not reviews.",
            (
                _per_second("trialwatch_webhook_faults_total", "faults"),
                Query(
                    f"sum by (code) (rate(trialwatch_webhook_rejected_requests_total{_RATE}))"
                    " or vector(0)",
                    "invalid {{code}}",
                ),
            ),
            "ops",
        ),
        Panel(
            "Events per second",
            "Kubernetes Events about refused pods.",
            (_rate("trialwatch_webhook_events_total", "outcome"),),
            "ops",
        ),
    ),
)

_DB_MANAGER = Row(
    "DB manager",
    (
        Panel(
            "Database",
            "1 if the database answered the last ping, else 0.",
            (Query("min (trialwatch_dbmanager_database_up)"),),
            is_number=True,
        ),
        Panel(
            "Points stored per second",
            "Points of metrics that were stored.",
            (_rate("trialwatch_dbmanager_rows_stored_total"),),
            "ops",
        ),
        Panel(
            "Requests per second",
            "By gRPC code; all but OK and CANCELLED say that something is wrong.",
            (_rate("trialwatch_dbmanager_requests_total", "code"),),
            "ops",
        ),
        Panel(
            "Duration of requests",
            "99 of 100 requests were faster; a stream counts until its end.",
            (_quantile(0.99, "trialwatch_dbmanager_request_seconds", "method"),),
            "s",
        ),
        *_access("dbmanager"),
        Panel(
            "Lost, repeated and skipped",
            "Gaps are reports that never came; repeats were stored before; skipped points have no"
            " time.",
            (
                _per_second("trialwatch_dbmanager_sequence_gaps_total", "gaps"),
                _per_second("trialwatch_dbmanager_repeats_refused_total", "repeats"),
                _per_second("trialwatch_dbmanager_points_skipped_total", "skipped points"),
            ),
            "ops",
        ),
    ),
)

_SUGGESTION = Row(
    "Suggestion service",
    (
        Panel(
            "Searches",
            "Calls that a worker is busy with, and calls that wait for a worker.",
            (
                Query("sum (trialwatch_suggestion_calls_running)", "running"),
                Query("sum (trialwatch_suggestion_calls_waiting)", "waiting"),
            ),
        ),
        Panel(
            "Searches killed per second",
            "By reason; `deadline` and `memory`: the search is too large.",
            (_rate("trialwatch_suggestion_searches_killed_total", "reason"),),
            "ops",
        ),
        Panel(
            "Calls dropped per second",
            "Calls that ended before a worker was free, by reason.",
            (_rate("trialwatch_suggestion_calls_dropped_total", "reason"),),
            "ops",
        ),
        *_access("suggestion"),
    ),
)

_PROCESSES = Row(
    "Processes",
    (
        Panel(
            "Replicas that answer",
            "By program.",
            (Query(f'sum by (job) (up{{job=~"{JOBS}"}})', "{{job}}"),),
        ),
        Panel(
            "Certificates",
            "How long they are still valid. They are renewed 30 days before their end.",
            tuple(
                Query(f"min (trialwatch_{name}_certificate_expires_seconds) - time()", legend)
                for name, legend in (
                    ("webhook", "webhook"),
                    ("dbmanager", "DB manager"),
                    ("suggestion", "suggestion service"),
                )
            ),
            "s",
            is_number=True,
        ),
        Panel(
            "Memory",
            "Of each replica.",
            (Query(f'process_resident_memory_bytes{{job=~"{JOBS}"}}', "{{job}} {{pod}}"),),
            "bytes",
        ),
        Panel(
            "Processor",
            "Cores in use, of each replica.",
            (
                Query(
                    f'rate(process_cpu_seconds_total{{job=~"{JOBS}"}}{_RATE})',
                    "{{job}} {{pod}}",
                ),
            ),
        ),
    ),
)

ROWS: Final = (_EXPERIMENTS, _CONTROLLER, _WEBHOOK, _DB_MANAGER, _SUGGESTION, _PROCESSES)
