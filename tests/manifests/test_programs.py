"""The programs take the flags and variables that the manifests give them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from api import names
from controller import settings as controller_settings
from dbmanager.settings import read_settings
from suggestion import settings as suggestion_settings
from tests.manifests.kustomize import OVERLAYS
from tests.manifests.rendered_objects import containers, named, overlay, pods
from webhook import settings as webhook_settings
from webhook.certificates.issued import Service

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
    """Return the container's variables as its pod would have them."""
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
    assert str(settings.listen) == f"[::]:{names.DB_MANAGER_TLS_PORT}"
    assert str(settings.plain_listen) == f"[::]:{names.DB_MANAGER_PORT}"
    assert str(settings.metrics_listen) == f"[::]:{names.METRICS_PORT}"


def test_every_overlay_with_a_store_is_tried() -> None:
    assert DATABASES.keys() == set(OVERLAYS) - {"with-katib"}


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_webhook_knows_whence_its_certificate_comes(name: str) -> None:
    container = containers(overlay(name))[names.OWN_WEBHOOK]
    environ = environment(container, name)

    settings = webhook_settings.read_settings(arguments(container, environ), environ)

    assert str(settings.listen) == f"[::]:{names.WEBHOOK_PORT}"
    assert str(settings.plain_listen) == f"[::]:{names.METRICS_PORT}"
    assert settings.core_namespace == names.CORE_NAMESPACE
    if name == "cert-manager":
        mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        assert (str(settings.cert_dir), settings.service) == (mounts["cert"], None)
    else:
        own = Service(name=names.OWN_WEBHOOK, namespace=names.CORE_NAMESPACE)
        assert (settings.cert_dir, settings.service) == (None, own)


@pytest.mark.parametrize("name", DATABASES)
def test_the_search_is_served_where_it_is_asked_for(name: str) -> None:
    container = containers(overlay(name))[names.OWN_SUGGESTION]
    environ = environment(container, name)

    settings = suggestion_settings.read_settings(arguments(container, environ))

    assert str(settings.listen) == f"[::]:{names.SUGGESTION_PORT}"
    assert str(settings.metrics_listen) == f"[::]:{names.METRICS_PORT}"


@pytest.mark.parametrize("name", DATABASES)
def test_the_controller_finds_store_and_search_by_default(name: str) -> None:
    container = containers(overlay(name))[names.OWN_CONTROLLER]
    environ = environment(container, name)

    settings = controller_settings.read_settings(arguments(container, environ), environ)

    assert str(settings.listen) == f"[::]:{names.METRICS_PORT}"
    assert settings.leader_elect
    assert settings.core_namespace == names.CORE_NAMESPACE
    for address, service, port in (
        (settings.usual_db_manager, names.DB_MANAGER_SERVICE, names.DB_MANAGER_TLS_PORT),
        (settings.suggestion, names.OWN_SUGGESTION, names.SUGGESTION_PORT),
    ):
        found = named(overlay(name), "Service", service)
        assert address == f"{service}.{found['metadata']['namespace']}:{port}"
        assert port in {one["port"] for one in found["spec"]["ports"]}


@pytest.mark.parametrize("name", OVERLAYS)
def test_requests_under_way_may_end(name: str) -> None:
    rendered = overlay(name)
    for program, container in containers(rendered).items():
        environ = environment(container, name)
        argv = arguments(container, environ)
        if program == names.OWN_WEBHOOK:
            webhook = webhook_settings.read_settings(argv, environ)
            needed = webhook.linger + webhook.grace
        elif program == names.OWN_CONTROLLER:
            needed = controller_settings.read_settings(argv, environ).grace
        elif program == names.OWN_SUGGESTION:
            needed = suggestion_settings.read_settings(argv).grace
        else:
            needed = read_settings(argv, environ).grace
        given = pods(rendered)[program]["spec"]["terminationGracePeriodSeconds"]
        assert needed.total_seconds() < given
