"""docs/install.md: its examples render, and the files that it names exist."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from api import names
from tests.manifests.kustomize import MANIFESTS, OVERLAYS, ROOT, objects
from tests.manifests.rendered_objects import containers, named, overlay
from webhook.model.config import parse_config

TEXT = (ROOT / "docs" / "install.md").read_text()
BLOCKS = [
    re.sub(r"^    ", "", block, flags=re.MULTILINE)
    for block in re.findall(r"(?:^    .*\n|^\n(?=    ))+", TEXT, re.MULTILINE)
]


def blocks_with(words: str) -> list[str]:
    return [block.strip("\n") + "\n" for block in BLOCKS if words in block]


def users_own(folder: Path, more: str = "") -> tuple[Any, ...]:
    """Write the document's kustomization beside a clone, and render it."""
    (kustomization,) = blocks_with("# trialwatch/kustomization.yaml")
    own = folder / "trialwatch"
    own.mkdir()
    (own / "kustomization.yaml").write_text(kustomization + more)
    settings = (MANIFESTS / "base" / "config" / "katib-config.yaml").read_text()
    settings = settings.replace("trialwatch/collector", "registry.example/trialwatch/collector")
    (own / "katib-config.yaml").write_text(settings)
    shutil.copytree(MANIFESTS, folder / "manifests")
    return objects(own)


def test_a_users_own_kustomization_says_where_all_images_are(tmp_path: Path) -> None:
    rendered = users_own(tmp_path)

    for container in containers(rendered).values():
        assert container["image"].startswith("REGISTRY/trialwatch/")
    config = named(rendered, "ConfigMap", names.CONFIG_MAP)["data"][names.CONFIG_MAP_KEY]
    for collector in parse_config(config).collectors.values():
        assert collector.image.startswith("registry.example/trialwatch/")


@pytest.mark.parametrize("kind", ["postgres", "mysql"])
def test_a_database_to_try_comes_with_the_secret_that_the_store_reads(
    tmp_path: Path, kind: str
) -> None:
    more = (
        f"components:\n  - ../manifests/components/{kind}\n  - ../manifests/components/try-{kind}\n"
    )

    rendered = users_own(tmp_path, more)

    store = containers(rendered)[names.DB_MANAGER_SERVICE]
    (secret,) = (one["secretRef"]["name"] for one in store["envFrom"])
    assert named(rendered, "Secret", secret)
    assert {"name": "DB_NAME", "value": kind} in store["env"]
    # The database is found by the name that the store takes without being told another.
    assert named(rendered, "Service", f"katib-{kind}")


@pytest.mark.parametrize("name", OVERLAYS)
def test_it_names_each_overlay(name: str) -> None:
    assert f"`{name}`" in TEXT


def test_every_file_that_it_names_is_there() -> None:
    named_files = set(re.findall(r"\b(?:manifests|tests|docs)/[\w./-]+\.(?:yaml|py|md)", TEXT))

    assert len(named_files) > 3
    for name in named_files:
        assert (ROOT / name).exists(), name
    for name in re.findall(r"\]\((\w+\.md)\)", TEXT):
        assert (ROOT / "docs" / name).exists(), name


def test_every_object_that_its_commands_name_is_there() -> None:
    known = {o["metadata"]["name"] for name in OVERLAYS for o in overlay(name)}
    known |= {"trialwatch-database", names.WEBHOOK_CONFIGURATION}

    documented = set(
        re.findall(r"\b(?:trialwatch|katib)-[a-z-]+[a-z]\b", "".join(blocks_with("kubectl")))
    )
    assert {"trialwatch-authority", "trialwatch-webhook-cert"} <= documented
    assert documented <= known | {"katib-steps-aside", "katib-config"}


def test_the_role_for_jobs_of_another_kind_is_taken_up() -> None:
    (block,) = blocks_with("trialwatch-webhook-rayjobs")
    role = yaml.safe_load(block)
    jobs = named(overlay("standalone"), "ClusterRole", "trialwatch-webhook-jobs")
    (selector,) = jobs["aggregationRule"]["clusterRoleSelectors"]

    assert selector["matchLabels"] == role["metadata"]["labels"] == {names.JOBS_LABEL: "true"}
    assert role["rules"][0]["verbs"] == ["get"]


def test_a_role_for_a_kind_of_ones_own_is_taken_up_with_the_verbs_that_known_kinds_have() -> None:
    (block,) = blocks_with("trialwatch-controller-rayjobs")
    role = yaml.safe_load(block)
    rendered = overlay("standalone")
    jobs = named(rendered, "ClusterRole", "trialwatch-controller-jobs")
    (selector,) = jobs["aggregationRule"]["clusterRoleSelectors"]
    known = named(rendered, "ClusterRole", "trialwatch-controller-known-jobs")

    assert (
        selector["matchLabels"] == role["metadata"]["labels"] == {names.TRIAL_KINDS_LABEL: "true"}
    )
    assert {tuple(rule["verbs"]) for rule in known["rules"]} == {tuple(role["rules"][0]["verbs"])}


def test_the_job_without_a_trial_is_one_that_the_webhook_collects_from() -> None:
    (block,) = blocks_with("name: my-training")
    template = yaml.safe_load(block)["spec"]["template"]["metadata"]

    assert template["labels"] == {names.COLLECT_LABEL: "true"}
    assert list(template["annotations"]) == [names.METRICS_ANNOTATION]
