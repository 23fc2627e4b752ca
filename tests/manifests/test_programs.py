"""The programs take the flags and variables that the manifests give them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from api import names
from dbmanager.settings import read_settings
from tests.manifests.cluster import containers, overlay
from tests.manifests.kustomize import OVERLAYS

SECRETS = {
    # What the Secret `trialwatch-database` may hold.
    "postgres": {"DB_USER": "me", "DB_PASSWORD": "p", names.POSTGRESQL_HOST_ENV: "db.example"},
    "mysql": {"DB_USER": "me", "DB_PASSWORD": "p", names.MYSQL_HOST_ENV: "db.example"},
}
DATABASES = {
    "standalone": "sqlite:////var/lib/trialwatch/trialwatch.db",
    "cert-manager": "sqlite:////var/lib/trialwatch/trialwatch.db",
    "postgres": "postgresql://me:p@db.example:5432/katib?sslmode=disable",
    "mysql": "mysql://me:p@db.example:3306/katib",
}


def environment(container: dict[str, Any], overlay_name: str) -> dict[str, str]:
    """Return the container's variables as a pod of ours would have them."""
    given = SECRETS[overlay_name] if "envFrom" in container else {}
    said = {one["name"]: one.get("value", names.CORE_NAMESPACE) for one in container.get("env", ())}
    return {**given, **said}


def arguments(container: dict[str, Any], environ: dict[str, str]) -> list[str]:
    """Expand variables as the kubelet does."""
    return [
        re.sub(r"\$\((\w+)\)", lambda match: environ[match[1]], word) for word in container["args"]
    ]


@pytest.mark.parametrize("name", DATABASES)
def test_the_store_finds_its_database(name: str) -> None:
    container = containers(overlay(name))[names.DB_MANAGER_SERVICE]
    environ = environment(container, name)

    settings = read_settings(arguments(container, environ), environ)

    assert settings.database == DATABASES[name]
    assert str(settings.listen) == f"0.0.0.0:{names.DB_MANAGER_PORT}"
    assert str(settings.metrics_listen) == f"0.0.0.0:{names.METRICS_PORT}"


def test_every_overlay_with_a_store_is_tried() -> None:
    assert DATABASES.keys() == set(OVERLAYS) - {"with-katib"}


@pytest.mark.parametrize("name", DATABASES)
def test_requests_under_way_may_end(name: str) -> None:
    rendered = overlay(name)
    (pod,) = (
        o["spec"]["template"]["spec"]
        for o in rendered
        if o["kind"] == "Deployment" and o["metadata"]["name"] == names.DB_MANAGER_SERVICE
    )
    container = containers(rendered)[names.DB_MANAGER_SERVICE]
    environ = environment(container, name)

    grace = read_settings(arguments(container, environ), environ).grace.total_seconds()
    assert grace < pod["terminationGracePeriodSeconds"]
