"""The Helm chart renders what the kustomizations render, whatever its values choose."""

from __future__ import annotations

import itertools
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.objects.yamltext import load_objects
from manifests.release.__main__ import package
from manifests.release.chart import COMPONENTS
from manifests.release.kustomize import render_with
from tests.manifests import helm
from tests.manifests.helm import packaged, template
from tests.manifests.kustomize import MANIFESTS, command, objects
from tests.manifests.rendered_objects import containers, named, of_kind, overlay, pods
from tests.manifests.test_another_namespace import documented_replacements, moved

DATABASES = {"sqlite": (), "postgres": ("postgres",), "mysql": ("mysql",)}
FLAGS = {
    "certManager": "cert-manager",
    "networkPolicies": "network-policies",
    "searches": "searches",
    "monitoring": "monitoring",
}
COMBINATIONS = list(itertools.product(DATABASES, *([False, True] for _ in FLAGS)))
LEFT_OUT = {"CustomResourceDefinition", "Namespace"}
PROGRAMS = {
    "katib-db-manager": "dbManager",
    "trialwatch-controller": "controller",
    "trialwatch-suggestion": "suggestion",
    "trialwatch-webhook": "webhook",
}


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packaged(tmp_path_factory.mktemp("chart"))


AS_KUSTOMIZE = "--set=storage.keep=false"
"""What the chart has and the manifests have not."""


def by_name(rendered: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Mapping[str, Any]]:
    kept = [one for one in rendered if one["kind"] not in LEFT_OUT]
    found = {(one["kind"], one["metadata"]["name"]): one for one in kept}
    assert len(found) == len(kept)
    return found


# -- the same as kustomize --------------------------------------------------------------------


@pytest.mark.parametrize(
    "choice", COMBINATIONS, ids=["-".join(map(str, one)) for one in COMBINATIONS]
)
def test_each_combination_of_choices_renders_as_its_components_do(
    chart: Path, choice: tuple[Any, ...]
) -> None:
    database, *flags = choice
    chosen = dict(zip(FLAGS, flags, strict=True))
    components = [*DATABASES[database], *(FLAGS[name] for name in chosen if chosen[name])]

    rendered = template(
        chart,
        AS_KUSTOMIZE,
        f"--set=database={database}",
        *(f"--set={name}={str(value).lower()}" for name, value in chosen.items()),
    )

    wanted = load_objects(render_with(command(), "standalone", components))
    assert by_name(rendered) == by_name(wanted)


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        ("standalone", "database=sqlite"),
        ("postgres", "database=postgres"),
        ("mysql", "database=mysql"),
        ("cert-manager", "certManager=true"),
    ],
)
def test_the_chart_stands_for_each_overlay_without_katib(chart: Path, name: str, flag: str) -> None:
    assert by_name(template(chart, AS_KUSTOMIZE, f"--set={flag}")) == by_name(overlay(name))


def test_each_component_is_a_choice_of_the_chart_or_has_its_reason_not_to_be() -> None:
    in_the_chart = {name for choice in COMPONENTS for name in choice.values()}
    reasons = {
        "permissive": "the value `auth`",
        "sql-server": "part of postgres and mysql",
        "try-mysql": "a database to try",
        "try-postgres": "a database to try",
    }

    folders = {path.parent.name for path in MANIFESTS.glob("components/*/kustomization.yaml")}
    assert folders == in_the_chart | reasons.keys()


@pytest.mark.parametrize("with_cert_manager", [False, True])
def test_another_namespace_is_as_with_kustomize(
    chart: Path, tmp_path: Path, *, with_cert_manager: bool
) -> None:
    flag = f"--set=certManager={str(with_cert_manager).lower()}"
    folder = (
        moved(tmp_path, "cert-manager", documented_replacements())
        if with_cert_manager
        else moved(tmp_path, "standalone")
    )

    rendered = template(chart, AS_KUSTOMIZE, flag, namespace="team-a")

    assert by_name(rendered) == by_name(objects(folder))


def test_the_crds_are_those_of_the_manifests() -> None:
    found = {path: text for path, text in helm.files().items() if path.startswith("crds/")}

    wanted = [one for one in overlay("standalone") if one["kind"] == "CustomResourceDefinition"]
    written = [one for text in found.values() for one in load_objects(text)]
    by_group = lambda one: str(one["metadata"]["name"])  # noqa: E731
    assert sorted(written, key=by_group) == sorted(wanted, key=by_group)


# -- values -----------------------------------------------------------------------------------


def test_the_images_come_from_a_registry_with_a_tag_or_a_digest(chart: Path) -> None:
    rendered = template(
        chart,
        "--set=image.registry=registry.example:5000",
        "--set=image.repository=team/trialwatch",
        "--set=image.tag=0.2.0",
        "--set=image.digests.webhook=sha256:abc",
    )

    images = {name: one["image"] for name, one in containers(rendered).items()}
    prefix = "registry.example:5000/team/trialwatch"
    assert images == {
        "katib-db-manager": f"{prefix}/dbmanager:0.2.0",
        "trialwatch-controller": f"{prefix}/controller:0.2.0",
        "trialwatch-suggestion": f"{prefix}/suggestion:0.2.0",
        "trialwatch-webhook": f"{prefix}/webhook@sha256:abc",
    }
    config = named(rendered, "ConfigMap", "katib-config")["data"]["katib-config.yaml"]
    collectors = yaml.safe_load(config)["runtime"]["metricsCollectors"]
    assert {one["image"] for one in collectors} == {f"{prefix}/collector:0.2.0"}


@pytest.mark.parametrize(("deployment", "program"), PROGRAMS.items())
def test_a_program_has_the_replicas_and_resources_of_its_values(
    chart: Path, deployment: str, program: str
) -> None:
    wanted = {"requests": {"cpu": "1", "memory": "1Gi"}}

    rendered = template(
        chart,
        "--set=database=postgres",
        f"--set={program}.replicas=3",
        f"--set-json={program}.resources.limits=null",
        f"--set={program}.resources.requests.cpu=1,{program}.resources.requests.memory=1Gi",
    )

    assert named(rendered, "Deployment", deployment)["spec"]["replicas"] == 3
    resources = containers(rendered)[deployment]["resources"]
    assert {key: {k: str(v) for k, v in some.items()} for key, some in resources.items()} == wanted


@pytest.mark.parametrize("mode", ["required", "permissive", "off"])
def test_the_db_manager_checks_its_callers_as_the_value_says(chart: Path, mode: str) -> None:
    rendered = template(chart, AS_KUSTOMIZE, f"--set=auth={mode}")

    env = containers(rendered)["katib-db-manager"]["env"]
    assert [one["value"] for one in env if one["name"] == "AUTH"] == [mode]
    if mode == "permissive":
        wanted = load_objects(render_with(command(), "standalone", ["permissive"]))
        assert by_name(rendered) == by_name(wanted)


def test_the_text_of_katib_config_is_a_users_own(chart: Path, tmp_path: Path) -> None:
    text = 'kind: KatibConfig\nruntime: {}  # "my" own: {{ not an expression }}\n'
    (tmp_path / "katib-config.yaml").write_text(text)

    rendered = template(chart, f"--set-file=katibConfig={tmp_path / 'katib-config.yaml'}")

    config = named(rendered, "ConfigMap", "katib-config")
    assert config["data"] == {"katib-config.yaml": text}


def test_each_pod_runs_where_the_values_say_and_with_their_pull_secrets(
    chart: Path, tmp_path: Path
) -> None:
    values = {
        "imagePullSecrets": [{"name": "mine"}],
        "nodeSelector": {"pool": "system"},
        "tolerations": [{"key": "system", "operator": "Exists"}],
    }
    (tmp_path / "values.yaml").write_text(yaml.safe_dump(values))

    rendered = template(chart, f"--values={tmp_path / 'values.yaml'}")

    assert pods(rendered).keys() == PROGRAMS.keys()
    for pod in pods(rendered).values():
        assert {name: pod["spec"][name] for name in values} == values


@pytest.mark.parametrize("keep", [True, False])
def test_the_volume_stays_when_the_release_goes_if_the_values_say_so(
    chart: Path, *, keep: bool
) -> None:
    rendered = template(chart, *([] if keep else ["--set=storage.keep=false"]))

    (claim,) = of_kind(rendered, "PersistentVolumeClaim")
    annotations = claim["metadata"].get("annotations", {})
    assert annotations == ({"helm.sh/resource-policy": "keep"} if keep else {})


def test_the_volume_has_the_class_and_the_size_of_the_values(chart: Path) -> None:
    rendered = template(chart, "--set=storage.className=fast,storage.size=50Gi")

    (claim,) = of_kind(rendered, "PersistentVolumeClaim")
    assert claim["spec"]["storageClassName"] == "fast"
    assert claim["spec"]["resources"]["requests"] == {"storage": "50Gi"}


def test_each_value_has_a_schema() -> None:
    values = yaml.safe_load(helm.files()["values.yaml"])
    properties = json.loads(helm.files()["values.schema.json"])["properties"]

    assert properties.keys() == values.keys() | {"global"}


@pytest.mark.parametrize(
    ("flags", "named_fault"),
    [
        (["database=oracle"], "/database"),
        (["auth=maybe"], "/auth"),
        (["dbManager.replicas=2"], "/dbManager/replicas"),
        (["webhok.replicas=2"], "'webhok' not allowed"),
        (["webhook.replica=2"], "'replica' not allowed"),
        (["image.tags=0.2.0"], "'tags' not allowed"),
        (["certManager=yes"], "/certManager"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(
    chart: Path, flags: list[str], named_fault: str
) -> None:
    done = helm.run("template", "release", str(chart), *(f"--set={flag}" for flag in flags))

    assert done.returncode != 0
    assert named_fault in done.stderr


# -- the package ------------------------------------------------------------------------------


def test_helm_has_nothing_to_complain_about(chart: Path) -> None:
    done = helm.run("lint", "--strict", str(chart))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "[WARNING]" not in done.stdout


def test_the_same_manifests_give_the_same_package(tmp_path: Path) -> None:
    first, second = tmp_path / "first.tgz", tmp_path / "second.tgz"
    package(helm.files(), first)
    package(helm.files(), second)

    assert first.read_bytes() == second.read_bytes()
    with tarfile.open(first) as archive:
        assert archive.getnames()[0] == "trialwatch/Chart.yaml"
