"""Tenants who may only edit their own namespace, and try to reach the metrics of others.

Both run an honest trial, and each attacks that of the other from a pod of its own, with each token
that it can get. Meanwhile the DB manager ends, the API server is killed and signs tokens with a new
key, and the certificate of the DB manager comes from a new authority.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

import grpc
import pytest

from api.names import (
    DB_MANAGER_SECRET,
    MANAGER_AUDIENCE,
    METRICS_PORT,
    OWN_AUTHORITY_SECRET,
    TRIAL_AUDIENCE,
)
from tests.cluster.attacker import TOKENS
from tests.cluster.client import Cluster, Object, RefusedError, until
from tests.cluster.deployments import CONTROLLER, DB_MANAGER, SUGGESTION
from tests.cluster.dockerfiles import VERSION
from tests.cluster.installation import NAMESPACE
from tests.cluster.node import service_account_key
from tests.cluster.observations import Observations, authorities, token_of
from tests.cluster.random_kills import all_are_back
from tests.cluster.tenants import Tenant
from tests.cluster.trials import Trials, counted, job, over, running
from webhook.authority.authorities import Authority, make_authority
from webhook.authority.steps import Authorities, Timing
from webhook.authority.stored import read_authorities, read_certificate, with_authorities
from webhook.certificates.issued import Service

pytestmark = [
    pytest.mark.alone,
    pytest.mark.leaves_behind("descriptor", reason="the client of all tests connects anew"),
]

STEPS, PAUSE_MILLISECONDS = 400, 500
LATER = 20
API_AUDIENCE = "https://kubernetes.default.svc.cluster.local"
STORE = Service(name=DB_MANAGER, namespace=NAMESPACE)
IMAGE = f"docker.io/trialwatch/collector:{VERSION}"
SCRIPT = Path(__file__).with_name("attacker.py")
REFUSED = {"UNAUTHENTICATED", "PERMISSION_DENIED"}
REASONS = ("no-token", "bad-token", "no-tls", "act", "trial", "namespace", "source")


class Side(NamedTuple):
    """One tenant with its honest trial."""

    tenant: Tenant
    trials: Trials
    trial: str

    def start(self, name: str, steps: int, pause: int) -> None:
        """Start a job as this tenant."""
        assert self.tenant.tries("create", job(name, "count", str(steps), str(pause))) == ""


@pytest.fixture
def node(kubeconfig: Path) -> Path:
    """The folder of the node: its API server gets another key."""
    if not (kubeconfig.parent / "pki").is_dir():
        pytest.skip("only on the node of `make test-cluster`: another cluster's keys are not here")
    return kubeconfig.parent


@pytest.fixture
def successor(cluster: Cluster, node: Path) -> Authority:  # noqa: ARG001 - else nothing is changed
    """Add the next authority, as the webhook does two years early, and give it to all programs."""
    added = make_authority(time.time(), Timing().lifetime)
    change_authorities(cluster, lambda now: Authorities(current=now.current, next=added))
    until("both authorities", lambda: authorities(cluster).count(b"BEGIN") == 2)
    for deployment in (CONTROLLER, SUGGESTION):  # they read the authorities when they start
        where = (f"deployment/{deployment}", f"--namespace={NAMESPACE}")
        cluster.kubectl("rollout", "restart", *where)
        cluster.kubectl("rollout", "status", *where, "--timeout=180s")
    return added


@pytest.fixture
def sides(cluster: Cluster, successor: Authority) -> Iterator[tuple[Side, Side]]:  # noqa: ARG001 - first
    """Give two tenants, each with a trial that runs."""
    labels = {"katib.kubeflow.org/metrics-collector-injection": "enabled"}
    with ExitStack() as stack:
        made = []
        for name in ("tenant-a", "tenant-b"):
            namespace = f"{name}-{secrets.token_hex(3)}"
            stack.enter_context(cluster.namespace(namespace, labels))
            side = Side(
                Tenant(cluster, namespace), Trials(cluster, namespace), f"victim-{name[-1]}"
            )
            side.start(side.trial, STEPS, PAUSE_MILLISECONDS)
            made.append(side)
        for side in made:
            side.trials.pod_when(side.trial, "start", running)
            side.trials.rows_when(side.trial, 3)
        yield made[0], made[1]


def test_no_tenant_reaches_anothers_metrics_while_keys_and_certificates_change(
    cluster: Cluster, sides: tuple[Side, Side], node: Path, successor: Authority
) -> None:
    a, b = sides
    before = refusals(cluster)

    for attacker, victim in ((a, b), (b, a)):
        attack(cluster, attacker, victim)

    refused = refusals(cluster)
    refused.subtract(before)
    assert all(refused[reason] > 0 for reason in REASONS), refused
    restart_the_store(cluster)
    rotate_the_signing_key(cluster, node)
    replace_the_authority(cluster, successor)
    for side in sides:
        side.start("later", LATER, 100)
    for side in sides:
        for name, steps in ((side.trial, STEPS), ("later", LATER)):
            assert side.trials.end(name) == "Complete"
            assert side.trials.rows(name) == counted(steps)


@pytest.mark.parametrize(("role", "sees"), [("view", True), ("edit", True), (None, False)])
def test_a_user_reads_the_metrics_of_the_namespaces_whose_trials_the_user_may_get(
    trials: Trials,
    role: str | None,
    sees: bool,  # noqa: FBT001 - a table
) -> None:
    cluster, namespace = trials.cluster, trials.namespace
    name = trials.start(job("read", "count", "3", "10"))
    if role is not None:
        binding = (f"--clusterrole={role}", f"--serviceaccount={namespace}:default")
        cluster.kubectl("create", "rolebinding", "reader", f"--namespace={namespace}", *binding)
    assert trials.end(name) == "Complete"

    account = token_of(cluster, namespace, "default", API_AUDIENCE)
    with Observations(cluster, account) as store:
        if sees:
            assert store.rows(namespace, name) == counted(3)
        else:
            with pytest.raises(grpc.RpcError, match="PERMISSION_DENIED"):
                store.rows(namespace, name)
        with pytest.raises(grpc.RpcError, match="PERMISSION_DENIED"):
            store.rows(NAMESPACE, name)


def attack(cluster: Cluster, attacker: Side, victim: Side) -> None:
    """Call the DB manager for the victim's trial from a pod of the attacker; all is refused."""
    own = attacker.tenant.namespace
    uid = str(victim.trials.pod(victim.trial)["metadata"]["uid"])
    config: Object = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "attack"},
        "data": {"attacker.py": SCRIPT.read_text(), "ca.crt": authorities(cluster).decode()},
    }
    assert attacker.tenant.tries("create", config) == ""
    assert attacker.tenant.tries("create", attacking_pod(own, victim, uid)) == ""

    def ended() -> bool:
        return over(cluster.get("pods", own, "attack") or {"status": {"phase": ""}})

    until("the attacks", ended)
    codes = json.loads(cluster.logs(own, "attack", "attack").splitlines()[-1])
    assert {name.partition(",")[0] for name in codes} == set(TOKENS)
    # In its own namespace a tenant may have a trial of the same name, and report for that one.
    taken = {name for name, code in codes.items() if code not in REFUSED}
    assert taken == {"namesake, TLS: squat"}, codes


def attacking_pod(own: str, victim: Side, uid: str) -> Object:
    """Return a pod with each token that its tenant can get."""
    theirs, trial = victim.tenant.namespace, victim.trial
    audiences = {
        "own": f"{TRIAL_AUDIENCE}{own}/mine",
        "namesake": f"{TRIAL_AUDIENCE}{own}/{trial}",
        "foreign": f"{TRIAL_AUDIENCE}{theirs}/{trial}",
        "manager": MANAGER_AUDIENCE,
    }
    tokens: list[Object] = [
        {"serviceAccountToken": {"audience": audience, "path": path}}
        for path, audience in audiences.items()
    ]
    tokens.append({"serviceAccountToken": {"path": "account"}})
    config = {"name": "attack", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    volumes = [
        {"name": "tokens", "projected": {"sources": [*tokens, {"configMap": config}]}},
        {"name": "script", "configMap": {"name": "attack"}},
    ]
    container = {
        "name": "attack",
        "image": IMAGE,
        "command": ["python", "/script/attacker.py", theirs, trial, uid],
        "env": [{"name": "POD_UID", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}}],
        "volumeMounts": [
            {"name": "tokens", "mountPath": "/tokens"},
            {"name": "script", "mountPath": "/script"},
        ],
    }
    spec = {"restartPolicy": "Never", "containers": [container], "volumes": volumes}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "attack"}, "spec": spec}


def refusals(cluster: Cluster) -> Counter[str]:
    """Return how many calls the DB manager has refused, by reason, as `/metrics` says."""
    selector = f"app.kubernetes.io/name={DB_MANAGER}"
    (pod,) = cluster.listed("pods", NAMESPACE, selector)
    name = pod["metadata"]["name"]
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{name}:{METRICS_PORT}/proxy/metrics"
    text = cluster.kubectl("get", f"--raw={path}")
    head = "trialwatch_dbmanager_calls_refused_total{reason="
    lines = [line for line in text.splitlines() if line.startswith(head)]
    return Counter({line.split('"')[1]: int(float(line.split()[-1])) for line in lines})


def restart_the_store(cluster: Cluster) -> None:
    selector = f"app.kubernetes.io/name={DB_MANAGER}"
    (pod,) = cluster.listed("pods", NAMESPACE, selector)
    cluster.delete("pods", NAMESPACE, pod["metadata"]["name"])
    all_are_back(cluster)


def rotate_the_signing_key(cluster: Cluster, node: Path) -> None:
    """Let the node's API server sign tokens with a new key, and accept those of the old one too."""
    keys = node / "pki"
    known, new, public = key_ids(cluster), service_account_key(), keys / "service-accounts.crt"
    public.write_bytes(new.certificate + public.read_bytes())
    (keys / "service-accounts.key").write_bytes(new.key)
    for process in api_servers(node):
        os.kill(process, signal.SIGKILL)

    def is_back() -> bool:
        # By a process of its own: a reset handshake would leave a socket in this one.
        look = cluster.argv("get", "--raw=/readyz", "--request-timeout=5s")
        return subprocess.run(look, capture_output=True, check=False).returncode == 0

    until("the API server", is_back)
    assert key_ids(cluster) > known


def key_ids(cluster: Cluster) -> set[str]:
    # Its media type is not the one that the client accepts.
    keys = json.loads(cluster.kubectl("get", "--raw=/openid/v1/jwks"))["keys"]
    return {str(one["kid"]) for one in keys}


def api_servers(folder: Path) -> list[int]:
    """Return the processes of the API server of the node in this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0].endswith(b"/kube-apiserver") and str(folder).encode() in b" ".join(words):
            found.append(int(process.name))
    return found


def replace_the_authority(cluster: Cluster, successor: Authority) -> None:
    """Let the next authority sign, as the webhook does after a year; the old one stays trusted."""

    def replaced(now: Authorities) -> Authorities:
        assert now.next == successor
        return Authorities(current=successor, old=(now.current.cert,))

    change_authorities(cluster, replaced)

    def is_served() -> bool:
        secret = cluster.get("secrets", NAMESPACE, DB_MANAGER_SECRET) or {}
        return read_certificate(secret, STORE, successor) is not None

    until("a certificate of the next authority", is_served)
    restart_the_store(cluster)  # so all clients connect anew


def change_authorities(cluster: Cluster, change: Callable[[Authorities], Authorities]) -> None:
    """Change the Secret of the authorities, beside the webhook that may do so too."""
    path = f"/api/v1/namespaces/{NAMESPACE}/secrets/{OWN_AUTHORITY_SECRET}"

    def written() -> bool:
        secret = cluster.request("GET", path)
        now = read_authorities(secret)
        assert now is not None
        try:
            cluster.request("PUT", path, with_authorities(secret, change(now)))
        except RefusedError as error:
            if error.status != HTTPStatus.CONFLICT:
                raise
            return False
        return True

    until("the authorities to be written", written)
