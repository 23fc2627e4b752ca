"""The programs' rights in a cluster: this table, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from api import names
from controller.on_kube import leftover_record
from tests.manifests.kustomize import OVERLAYS, ROOT, with_component
from tests.manifests.rendered_objects import Object, named, of_kind, overlay

ANYWHERE = "in any namespace"
HERE = "in our own namespace"
DEPLOYED = ROOT / "tests" / "controller" / "on_kube" / "deployed"


class Right(NamedTuple):
    """Verbs on resources; `name` where it is one object only."""

    where: str
    group: str
    resource: str
    verbs: frozenset[str]
    name: str = ""


def right(where: str, what: str, verbs: str, name: str = "") -> Right:
    group, _, resource = what.partition("/") if "/" in what else ("", "", what)
    return Right(where, group, resource, frozenset(verbs.split()), name)


SELF_SIGNED = {
    # webhook/certificates: it keeps its certificate here, and tells the API server to trust it.
    right(HERE, "secrets", "get update", names.OWN_WEBHOOK_SECRET),
    *(
        right(ANYWHERE, f"admissionregistration.k8s.io/{kind}configurations", "get patch", name)
        for kind, name in (
            ("mutatingwebhook", names.OWN_WEBHOOK),
            ("mutatingwebhook", names.OWN_EXPERIMENT_WEBHOOKS),
            ("validatingwebhook", names.OWN_EXPERIMENT_WEBHOOKS),
        )
    ),
}
AUTHORITY = {
    # webhook/authority: it signs the certificate of the DB manager.
    right(HERE, "secrets", "get update", names.OWN_AUTHORITY_SECRET),
    right(HERE, "secrets", "get update", names.DB_MANAGER_SECRET),
    right(HERE, "secrets", "get update", names.SUGGESTION_SECRET),
}
KEYS = {
    # serving/tokens: the API server's public keys, and the issuer of tokens.
    Right(ANYWHERE, "", "/openid/v1/jwks", frozenset({"get"})),
    Right(ANYWHERE, "", "/.well-known/openid-configuration", frozenset({"get"})),
}
STORE = {
    *KEYS,
    # dbmanager/access/reviews: whose a token is, and what this user may read.
    right(ANYWHERE, "authentication.k8s.io/tokenreviews", "create"),
    right(ANYWHERE, "authorization.k8s.io/subjectaccessreviews", "create"),
}
WEBHOOK = {
    # webhook/lookups: what is remembered, and asked for where it is new.
    right(ANYWHERE, "kubeflow.org/trials", "get list watch"),
    right(ANYWHERE, "kubeflow.org/suggestions", "get list watch"),
    right(ANYWHERE, "batch/jobs", "get list watch"),
    # webhook/owners: what may own these, up to the trial.
    right(ANYWHERE, "batch/cronjobs", "get"),
    right(ANYWHERE, "jobset.x-k8s.io/jobsets", "get"),
    right(ANYWHERE, "trainer.kubeflow.org/trainjobs", "get"),
    *(
        right(ANYWHERE, f"kubeflow.org/{kind}jobs", "get")
        for kind in ("jax", "mpi", "paddle", "pytorch", "tf", "xgboost")
    ),
    # kube/events: why a pod was refused.
    right(ANYWHERE, "events", "create patch"),
    # kube/settings_source: the settings, as they change.
    right(HERE, "configmaps", "list watch", names.CONFIG_MAP),
}
SUGGESTION = {
    *KEYS,
    # suggestion/marks: a trial that was stopped early is marked so.
    right(ANYWHERE, "kubeflow.org/trials", "get"),
    right(ANYWHERE, "kubeflow.org/trials/status", "patch"),
}
EXPERIMENTS = {
    # webhook/experiments: the template that an experiment names, and the namespace that it is in.
    right(ANYWHERE, "configmaps", "get"),
    right(ANYWHERE, "namespaces", "get"),
    # webhook/driver/authors: whether an author may create what the trials are.
    right(ANYWHERE, "authorization.k8s.io/subjectaccessreviews", "create"),
    # webhook/driver/finalizer_release: what would keep the CRDs when they are deleted.
    right(ANYWHERE, "kubeflow.org/experiments", "list patch"),
    right(ANYWHERE, "kubeflow.org/trials", "patch"),
    *(
        right(
            ANYWHERE,
            "apiextensions.k8s.io/customresourcedefinitions",
            "get",
            f"{kind}.kubeflow.org",
        )
        for kind in ("experiments", "trials")
    ),
}
CONTROLLER = {
    # controller/cluster_objects: experiments are ours to finish, suggestions and trials to make.
    right(ANYWHERE, "kubeflow.org/experiments", "get list watch patch"),
    right(ANYWHERE, "kubeflow.org/suggestions", "get list watch create patch"),
    right(ANYWHERE, "kubeflow.org/trials", "get list watch create delete patch"),
    right(ANYWHERE, "kubeflow.org/experiments/status", "update"),
    right(ANYWHERE, "kubeflow.org/suggestions/status", "update"),
    right(ANYWHERE, "kubeflow.org/trials/status", "update patch"),
    *(
        right(ANYWHERE, f"kubeflow.org/{kind}/finalizers", "update")
        for kind in ("experiments", "suggestions", "trials")
    ),
    right(ANYWHERE, "configmaps", "get"),
    # controller/cluster_jobs: jobs, their pods, and why there are none.
    right(ANYWHERE, "batch/jobs", "get list watch create delete"),
    right(ANYWHERE, "trainer.kubeflow.org/trainjobs", "get list watch create delete"),
    *(
        right(ANYWHERE, f"kubeflow.org/{kind}jobs", "get list watch create delete")
        for kind in ("mpi", "pytorch", "tf", "xgboost")
    ),
    right(ANYWHERE, "pods", "list watch"),
    # controller/cluster_events, too: what becomes of experiments and trials.
    right(ANYWHERE, "events", "list watch create patch"),
    # kube/settings_source and kube/leading.
    right(HERE, "configmaps", "list watch", names.CONFIG_MAP),
    right(HERE, "coordination.k8s.io/leases", "create"),
    right(HERE, "coordination.k8s.io/leases", "get update", names.OWN_CONTROLLER),
    # controller/on_kube/leftover_record.
    right(HERE, "coordination.k8s.io/leases", "get update", leftover_record.NAME),
}
SEARCHES = {
    # controller/on_kube/search_services: searches with an image of their own, where they are chosen.
    right(ANYWHERE, "apps/deployments", "get create delete"),
    right(ANYWHERE, "services", "get create delete"),
    *(
        right(ANYWHERE, kind, "get create")
        for kind in (
            "persistentvolumeclaims",
            "rbac.authorization.k8s.io/rolebindings",
            "rbac.authorization.k8s.io/roles",
            "serviceaccounts",
        )
    ),
}
RIGHTS = {
    names.OWN_CONTROLLER: CONTROLLER,
    names.OWN_WEBHOOK: WEBHOOK | EXPERIMENTS | SELF_SIGNED | AUTHORITY,
    names.OWN_SUGGESTION: SUGGESTION,
    names.DB_MANAGER_SERVICE: STORE,
}


def rights_in(rule: dict[str, Any], where: str) -> set[Right]:
    verbs = frozenset(rule["verbs"])
    if "nonResourceURLs" in rule:
        return {Right(where, "", url, verbs) for url in rule["nonResourceURLs"]}
    return {
        Right(where, group, resource, verbs, name)
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames", [""])
    }


def rules_of(role: Object, rendered: tuple[Object, ...]) -> list[dict[str, Any]]:
    """Return a role's rules; Kubernetes gathers those of an aggregated one by labels."""
    if "aggregationRule" not in role:
        return list(role["rules"])
    (selector,) = role["aggregationRule"]["clusterRoleSelectors"]
    wanted = selector["matchLabels"].items()
    return [
        rule
        for other in of_kind(rendered, "ClusterRole")
        if wanted <= other["metadata"]["labels"].items()
        for rule in other["rules"]
    ]


def rights_of(account: str, rendered: tuple[Object, ...]) -> set[Right]:
    found: set[Right] = set()
    for kind, of, where in (
        ("RoleBinding", "Role", HERE),
        ("ClusterRoleBinding", "ClusterRole", ANYWHERE),
    ):
        for binding in of_kind(rendered, kind):
            if account in {subject["name"] for subject in binding["subjects"]}:
                role = named(rendered, of, binding["roleRef"]["name"])
                for rule in rules_of(role, rendered):
                    found |= rights_in(rule, where)
    return found


@pytest.mark.parametrize("name", OVERLAYS)
def test_each_program_has_the_rights_of_the_table(name: str) -> None:
    rendered = overlay(name)
    accounts = {account["metadata"]["name"] for account in of_kind(rendered, "ServiceAccount")}

    for account in accounts:
        wanted = RIGHTS.get(account, set())
        if name == "cert-manager":  # which does for the webhook what it would have to do itself
            wanted = wanted - SELF_SIGNED - AUTHORITY
        if name == "with-katib":  # whose own webhook judges experiments, and whose store stays
            wanted = wanted - EXPERIMENTS - AUTHORITY
        assert rights_of(account, rendered) == wanted


def test_the_component_of_deployed_searches_adds_the_rights_of_the_table(tmp_path: Path) -> None:
    rendered = with_component(tmp_path, "searches")

    assert rights_of(names.OWN_CONTROLLER, rendered) == CONTROLLER | SEARCHES


@pytest.mark.parametrize("name", OVERLAYS)
def test_no_program_may_touch_what_is_not_in_a_namespace_or_gives_rights(name: str) -> None:
    rendered = overlay(name)
    makes = {"create", "update", "patch", "delete", "bind", "escalate", "impersonate"}
    of_a_node_or_of_all = {"persistentvolumes", "nodes", "namespaces", "customresourcedefinitions"}

    for account in of_kind(rendered, "ServiceAccount"):
        for one in rights_of(account["metadata"]["name"], rendered):
            if one.verbs & makes:
                assert one.group != "rbac.authorization.k8s.io"
                assert one.resource not in of_a_node_or_of_all
            assert not one.verbs & {"bind", "escalate", "impersonate"}


@pytest.mark.parametrize("name", OVERLAYS)
def test_nobody_may_read_secrets_of_others(name: str) -> None:
    rendered = overlay(name)
    services = {names.DB_MANAGER_SECRET, names.SUGGESTION_SECRET}
    own = {names.OWN_WEBHOOK_SECRET, names.OWN_AUTHORITY_SECRET, *services}

    for account in of_kind(rendered, "ServiceAccount"):
        for one in rights_of(account["metadata"]["name"], rendered):
            if one.resource == "secrets":
                assert account["metadata"]["name"] == names.OWN_WEBHOOK
                assert one.where == HERE
                assert one.name in own


@pytest.mark.parametrize("name", OVERLAYS)
def test_pull_secrets_are_read_only_where_an_admin_says_so(name: str) -> None:
    rendered = overlay(name)
    role = "trialwatch-webhook-pull-secrets"

    (rule,) = named(rendered, "ClusterRole", role)["rules"]
    assert rights_in(rule, "") == {right("", "secrets", "get")}
    bindings = [*of_kind(rendered, "RoleBinding"), *of_kind(rendered, "ClusterRoleBinding")]
    assert role not in {binding["roleRef"]["name"] for binding in bindings}


@pytest.mark.parametrize("name", OVERLAYS)
def test_no_right_has_a_star(name: str) -> None:
    for kind in ("Role", "ClusterRole"):
        for role in of_kind(overlay(name), kind):
            for rule in role.get("rules", ()):
                for words in rule.values():
                    assert "*" not in words


ALONE = [name for name in OVERLAYS if name != "with-katib"]


@pytest.mark.parametrize("name", ALONE)
@pytest.mark.parametrize(
    ("role", "verbs"),
    [
        ("view", "get list watch"),
        ("edit", "get list watch create delete deletecollection patch update"),
    ],
)
def test_who_may_work_in_a_namespace_may_work_with_its_experiments(
    name: str, role: str, verbs: str
) -> None:
    rendered = overlay(name)
    for group, own in (("k8s.io", role), ("kubeflow.org", f"kubeflow-{role}")):
        label = f"rbac.authorization.{group}/aggregate-to-{own}"
        (found,) = (
            o
            for o in of_kind(rendered, "ClusterRole")
            if o["metadata"]["labels"].get(label) == "true"
        )
        (rule,) = found["rules"]
        kinds = ("experiments", "suggestions", "trials")
        assert rights_in(rule, "") == {right("", f"kubeflow.org/{kind}", verbs) for kind in kinds}


@pytest.mark.parametrize("name", ALONE)
def test_the_controller_has_all_that_it_gives_to_early_stopping_of_its_own(name: str) -> None:
    own = rights_of(names.OWN_CONTROLLER, overlay(name))
    given = {
        one
        for path in DEPLOYED.glob("*.golden.yaml")
        for document in yaml.safe_load_all(path.read_text())
        if document["kind"] == "Role"
        for rule in document["rules"]
        for one in rights_in(rule, ANYWHERE)
    }

    # Kubernetes refuses a Role with more rights than its maker has.
    assert {one.resource for one in given} == {"trials", "trials/status"}
    for one in given:
        had = (mine.verbs for mine in own if mine._replace(verbs=one.verbs) == one)
        assert any(one.verbs <= verbs for verbs in had)


@pytest.mark.parametrize("name", ALONE)
def test_katibs_admin_may_what_its_editor_may(name: str) -> None:
    rendered = overlay(name)
    admin, editor = (
        named(rendered, "ClusterRole", f"kubeflow-katib-{role}") for role in ("admin", "edit")
    )

    assert rules_of(admin, rendered) == editor["rules"]


@pytest.mark.parametrize("name", ALONE)
def test_the_store_reads_no_object_of_the_cluster(name: str) -> None:
    rendered = overlay(name)
    pod = named(rendered, "Deployment", names.DB_MANAGER_SERVICE)["spec"]["template"]["spec"]

    assert rights_of(pod["serviceAccountName"], rendered) == STORE
    assert {verb for one in STORE for verb in one.verbs if one.group} == {"create"}
