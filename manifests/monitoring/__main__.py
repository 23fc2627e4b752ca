"""`python -m manifests.monitoring`, as `make monitoring`, writes what Prometheus and Grafana read.

the programs' declarations of metrics ──> catalog ──> tests: each name, label and value exists
alerts ──> manifests/components/monitoring/alerts.yaml, a PrometheusRule
panels ──> dashboard ──> manifests/components/monitoring/trialwatch.json, for Grafana
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from api import names
from api.objects.yamlout import dump_objects
from api.types import Json
from manifests.monitoring.alerts import ALERTS, Alert
from manifests.monitoring.dashboard import dashboard_text

FOLDER: Final = Path(__file__).resolve().parents[1] / "components" / "monitoring"
RUNBOOK: Final = "docs/monitoring.md"
_HEAD: Final = "# Made by `make monitoring` from manifests/monitoring/alerts.py.\n"


def rules_text() -> str:
    """Return the PrometheusRule."""
    document: dict[str, Json] = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "trialwatch", "namespace": names.CORE_NAMESPACE},
        "spec": {"groups": [{"name": "trialwatch", "rules": [_rule(alert) for alert in ALERTS]}]},
    }
    return _HEAD + dump_objects([document])


def _rule(alert: Alert) -> dict[str, Json]:
    return {
        "alert": alert.name,
        "expr": alert.expression,
        "for": alert.duration,
        "labels": {"severity": alert.severity.value},
        "annotations": {
            "summary": alert.summary,
            "runbook": f"{RUNBOOK}#{alert.name.lower()}",
        },
    }


def texts() -> dict[Path, str]:
    """Return each file with its text."""
    return {FOLDER / "alerts.yaml": rules_text(), FOLDER / "trialwatch.json": dashboard_text()}


def main() -> None:
    """Write the files."""
    for path, text in texts().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
