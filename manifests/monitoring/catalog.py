"""The metrics of all programs, from their own declarations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from api import names
from controller.metrics import Metrics as ControllerMetrics
from dbmanager.service.metrics import Metrics as DBManagerMetrics
from serving.metric_families import DeclaredMetric
from suggestion.service.metrics import Metrics as SuggestionMetrics
from webhook.server.metrics import Metrics as WebhookMetrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program that serves metrics."""

    job: str
    """The label `job` of its series: the name of its Deployment."""
    metrics: tuple[DeclaredMetric, ...]


CONTROLLER: Final = Program(job=names.OWN_CONTROLLER, metrics=ControllerMetrics().declared)
DB_MANAGER: Final = Program(job=names.DB_MANAGER_SERVICE, metrics=DBManagerMetrics().declared)
SUGGESTION: Final = Program(job=names.OWN_SUGGESTION, metrics=SuggestionMetrics().declared)
WEBHOOK: Final = Program(job=names.OWN_WEBHOOK, metrics=WebhookMetrics().declared)
PROGRAMS: Final = (CONTROLLER, WEBHOOK, DB_MANAGER, SUGGESTION)

JOBS: Final = "|".join(program.job for program in PROGRAMS)
"""A pattern for the label `job`."""
METRICS: Final = {metric.name: metric for program in PROGRAMS for metric in program.metrics}

FOREIGN: Final = {
    "up": (),
    "process_cpu_seconds_total": (),
    "process_resident_memory_bytes": (),
    "apiserver_admission_webhook_rejection_count": ("name", "error_type"),
    "apiserver_admission_webhook_fail_open_count": ("name",),
}
"""Metrics of Prometheus, of its client and of the API server, with the labels that are used."""
TARGET_LABELS: Final = ("job", "namespace", "pod")
"""What the PodMonitor adds to each series that does not have it."""

LEFT_OUT: Final[dict[str, str]] = {}
"""Metrics without a panel, each with its reason."""
