"""The DB manager requires tokens over TLS, and its clients have what it requires."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api import names
from controller.settings import read_settings as controller_settings
from dbmanager.settings import Settings, read_settings
from serving.access.refusals import Mode
from suggestion.settings import read_settings as suggestion_settings
from tests.manifests.kustomize import OVERLAYS, with_component
from tests.manifests.rendered_objects import Object, containers, named, of_kind, overlay, pods
from tests.manifests.test_programs import arguments, environment
from webhook.certificates.issued import Service
from webhook.settings import read_settings as webhook_settings

ALONE = [name for name in OVERLAYS if name != "with-katib"]
STORE = Service(name=names.DB_MANAGER_SERVICE, namespace=names.CORE_NAMESPACE)
SEARCH = Service(name=names.OWN_SUGGESTION, namespace=names.CORE_NAMESPACE)


def words(rendered: tuple[Object, ...], program: str, name: str) -> tuple[list[str], Any]:
    container = containers(rendered)[program]
    environ = environment(container, name)
    return arguments(container, environ), environ


def store_settings(rendered: tuple[Object, ...], name: str = "standalone") -> Settings:
    return read_settings(*words(rendered, names.DB_MANAGER_SERVICE, name))


def files(rendered: tuple[Object, ...], program: str) -> dict[Path, Object]:
    """Return the source of each projected or secret file of a program, by its path."""
    spec = pods(rendered)[program]["spec"]
    mounts = {one["name"]: Path(one["mountPath"]) for one in spec["containers"][0]["volumeMounts"]}
    found = {}
    for volume in spec["volumes"]:
        secret = volume.get("secret", {})
        sources = [
            *volume.get("projected", {}).get("sources", []),
            *([{"secret": {**secret, "name": secret["secretName"]}}] if secret else []),
        ]
        for source in sources:
            for item in source.get("secret", {}).get("items", [source.get("serviceAccountToken")]):
                if item:
                    found[mounts[volume["name"]] / item["path"]] = source
    return found


@pytest.mark.parametrize("name", ALONE)
def test_the_store_requires_tokens_and_reads_the_keys_of_the_api_server(name: str) -> None:
    rendered = overlay(name)
    access = store_settings(rendered, name).access

    assert access.mode is Mode.REQUIRED
    assert access.keys == "https://kubernetes.default.svc/openid/v1/jwks"
    assert access.issuer == ""
    assert access.audience == names.MANAGER_AUDIENCE
    for account in access.managers:
        namespace, _, program = account.partition("/")
        assert namespace == names.CORE_NAMESPACE
        assert named(rendered, "ServiceAccount", program)
    assert len(access.managers) == 2


def test_the_component_permissive_also_takes_calls_without_a_token(tmp_path: Path) -> None:
    usual = store_settings(overlay("standalone"))

    settings = store_settings(with_component(tmp_path, "permissive"))

    assert settings.access.mode is Mode.PERMISSIVE
    assert (settings.listen, settings.plain_listen) == (usual.listen, usual.plain_listen)


@pytest.mark.parametrize("name", ALONE)
def test_its_certificate_is_in_the_secret_that_the_manifests_name(name: str) -> None:
    rendered = overlay(name)
    tls = store_settings(rendered, name).tls
    assert tls is not None
    mounted = files(rendered, names.DB_MANAGER_SERVICE)

    for path in (tls.cert, tls.key):
        assert mounted[path]["secret"]["name"] == names.DB_MANAGER_SECRET
    argv, environ = words(rendered, names.OWN_WEBHOOK, name)
    webhook = webhook_settings(argv, environ)
    if name == "cert-manager":
        certificate = named(rendered, "Certificate", names.DB_MANAGER_SERVICE)["spec"]
        assert certificate["secretName"] == names.DB_MANAGER_SECRET
        assert set(certificate["dnsNames"]) <= set(STORE.hosts)
        assert webhook.db_manager_ca in files(rendered, names.OWN_WEBHOOK)
    else:
        assert webhook.issue_for == (STORE, SEARCH)
        empty = (names.DB_MANAGER_SECRET, names.SUGGESTION_SECRET, names.OWN_AUTHORITY_SECRET)
        for secret in empty:
            assert "data" not in named(rendered, "Secret", secret)


@pytest.mark.parametrize("name", ALONE)
def test_controller_and_search_have_a_managers_token_and_the_authorities_alone(name: str) -> None:
    rendered = overlay(name)
    argv, environ = words(rendered, names.OWN_CONTROLLER, name)
    controller = controller_settings(argv, environ)
    argv, _ = words(rendered, names.OWN_SUGGESTION, name)
    suggestion = suggestion_settings(argv)

    for program, security in (
        (names.OWN_CONTROLLER, controller.db_manager_security),
        (names.OWN_CONTROLLER, controller.suggestion_security),
        (names.OWN_SUGGESTION, suggestion.db_manager_security),
    ):
        mounted = files(rendered, program)
        assert security.token is not None
        assert security.ca is not None
        token = mounted[security.token]["serviceAccountToken"]
        assert token["audience"] == names.MANAGER_AUDIENCE
        assert mounted[security.ca]["secret"]["name"] == names.DB_MANAGER_SECRET
        assert {path.name for path in mounted} <= {"token", "ca.crt", "tls.crt", "tls.key"}
    assert str(suggestion.db_manager) == controller.usual_db_manager


@pytest.mark.parametrize("name", ALONE)
def test_the_search_requires_tokens_with_a_certificate_of_its_own(name: str) -> None:
    rendered = overlay(name)
    argv, _ = words(rendered, names.OWN_SUGGESTION, name)
    settings = suggestion_settings(argv)
    mounted = files(rendered, names.OWN_SUGGESTION)

    assert settings.access.mode is Mode.REQUIRED
    assert settings.access.managers == (f"{names.CORE_NAMESPACE}/{names.OWN_CONTROLLER}",)
    assert settings.tls is not None
    for path in (settings.tls.cert, settings.tls.key):
        assert mounted[path]["secret"]["name"] == names.SUGGESTION_SECRET
    assert settings.plain_listen is not None
    for probe in ("startupProbe", "readinessProbe"):
        container = containers(rendered)[names.OWN_SUGGESTION]
        assert container[probe]["grpc"]["port"] == settings.plain_listen.port
    if name == "cert-manager":
        argv, environ = words(rendered, names.OWN_WEBHOOK, name)
        assert webhook_settings(argv, environ).suggestion_ca in files(rendered, names.OWN_WEBHOOK)


@pytest.mark.parametrize("name", ALONE)
def test_sidecars_call_the_port_with_tls_by_a_name_of_the_certificate(name: str) -> None:
    environ = environment(containers(overlay(name))[names.OWN_WEBHOOK], name)

    assert environ[names.DB_MANAGER_PORT_ENV] == str(names.DB_MANAGER_TLS_PORT)
    assert f"{names.DB_MANAGER_SERVICE}.{names.CORE_NAMESPACE}" in STORE.hosts


@pytest.mark.parametrize("name", OVERLAYS)
def test_no_pod_mounts_the_key_of_the_authority(name: str) -> None:
    for deployment in of_kind(overlay(name), "Deployment"):
        assert names.OWN_AUTHORITY_SECRET not in str(deployment)
