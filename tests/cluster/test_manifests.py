"""The manifests in a real API server, tried without keeping anything of them."""

from __future__ import annotations

import copy
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from api import names
from tests.cluster.client import Cluster, Object, RefusedError, until
from tests.manifests.kustomize import MANIFESTS, OVERLAYS, objects
from tests.manifests.rendered_objects import named, overlay
from tests.manifests.test_who_is_asked_about import CASES, Case, pod_of

TRIED = "trialwatch.test/asked"
CONFIGURATION = f"asked-{os.getpid()}"


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_api_server_takes_every_object(
    cluster: Cluster, namespace: str, tmp_path: Path, name: str
) -> None:
    where = os.path.relpath(MANIFESTS / "overlays" / name, tmp_path.resolve())
    kustomization = {"namespace": namespace, "resources": [where]}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    # Without cert-manager its kinds are unknown.
    known = [o for o in objects(tmp_path) if not o["apiVersion"].startswith("cert-manager.io/")]

    said = cluster.kubectl(
        *("apply", "--server-side", "--force-conflicts", "--dry-run=server", "--filename=-"),
        objects=known,
    )

    assert len(said.splitlines()) == len(known)


# -- which pods are sent to the webhook ------------------------------------------------------


@pytest.fixture(scope="module")
def namespaces(cluster: Cluster) -> Iterator[dict[bool, str]]:
    """Two namespaces, the second one open in Katib's way."""
    mine = {TRIED: str(os.getpid())}
    opened = mine | {names.INJECTION_LABEL: names.INJECTION_ENABLED}
    with (
        cluster.namespace(f"{CONFIGURATION}-{secrets.token_hex(3)}", mine) as plain,
        cluster.namespace(f"asked-open-{secrets.token_hex(3)}", opened) as open_one,
    ):
        yield {False: plain, True: open_one}


@pytest.fixture(scope="module", autouse=True)
def _nobody_answers(cluster: Cluster, namespaces: dict[bool, str]) -> Iterator[None]:
    """Our webhook's configuration, for these namespaces only, with nobody to answer the calls."""
    configuration = copy.deepcopy(
        named(overlay("standalone"), "MutatingWebhookConfiguration", names.OWN_WEBHOOK)
    )
    configuration["metadata"] = {"name": CONFIGURATION}
    for entry in configuration["webhooks"]:
        selector = entry["namespaceSelector"]
        selector["matchLabels"] = {**selector.get("matchLabels", {}), TRIED: str(os.getpid())}
        entry["failurePolicy"] = "Fail"  # a call that is ignored would not be named
        entry["clientConfig"]["service"] = {"name": "nobody", "namespace": namespaces[False]}
    cluster.kubectl("create", "--filename=-", objects=[configuration])
    try:
        asked = CASES["a labelled pod"]
        until(
            "the webhook to be called", lambda: who_is_asked(cluster, namespaces[False], asked), 30
        )
        yield
    finally:
        cluster.kubectl("delete", "mutatingwebhookconfiguration", CONFIGURATION)


def who_is_asked(cluster: Cluster, namespace: str, case: Case) -> set[str]:
    """Say which entry the API server would have called: that it cannot is an error with its name."""
    pod: Object = pod_of(case)
    pod["spec"] = {"containers": [{"name": "c", "image": "none"}]}
    message = ""
    try:
        cluster.request("POST", f"/api/v1/namespaces/{namespace}/pods", pod, dryRun="All")
    except RefusedError as error:
        message = error.message
    called = set(re.findall(r'failed calling webhook "([^"]+)"', message))
    assert bool(called) == bool(message), message
    return called


@pytest.mark.parametrize(
    "case",
    [case for case in CASES.values() if case.namespace_name == "team-a"],
    ids=[name for name, case in CASES.items() if case.namespace_name == "team-a"],
)
def test_the_api_server_asks_about_a_pod_as_our_stand_in_for_it_would(
    cluster: Cluster, namespaces: dict[bool, str], case: Case
) -> None:
    assert who_is_asked(cluster, namespaces[bool(case.namespace)], case) == case.asked
