"""katib-config at each stage, from the text that Katib's installation had."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.trialwatch.migration.katib_cluster import CONFIG, IMAGES
from trialwatch.migration.katib_config import Stage, at_stage, is_at, kept_algorithms


def runtime(stage: Stage, text: str = CONFIG) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(at_stage(text, stage, IMAGES))
    found: dict[str, Any] = document["runtime"]
    return found


def images(entries: list[dict[str, Any]], key: str) -> dict[str, str]:
    return {entry[key]: entry["image"].rpartition("/")[2] for entry in entries}


def test_katibs_own_text_stays_to_the_letter_until_the_webhook_is_taken_over() -> None:
    assert at_stage(CONFIG, Stage.KATIB, IMAGES) == CONFIG
    assert at_stage(CONFIG, Stage.STORE, IMAGES) == CONFIG


def test_only_collectors_that_trialwatch_has_get_its_image() -> None:
    assert images(runtime(Stage.WEBHOOK)["metricsCollectors"], "kind") == {
        "StdOut": "collector:0.1.0",
        "File": "collector:0.1.0",
        "TensorFlowEvent": "collector:0.1.0",
    }


def test_a_search_in_katibs_hands_has_the_memory_that_trialwatchs_image_needs() -> None:
    random, evolution = runtime(Stage.SEARCH)["suggestions"]

    assert random["image"] == "registry.example/trialwatch/suggestion:0.1.0"
    assert random["resources"] == {"limits": {"memory": "1536Mi"}}
    assert evolution["image"] == "ghcr.io/kubeflow/katib/suggestion-evolution:v0.19.0"


def test_trialwatchs_controller_finds_no_image_for_what_its_own_service_has() -> None:
    last = runtime(Stage.CONTROLLER)

    assert list(images(last["suggestions"], "algorithmName")) == ["evolution"]
    assert last["earlyStoppings"] == []
    assert kept_algorithms(CONFIG) == ("evolution",)


def test_a_search_whose_service_needs_a_volume_keeps_katibs_image() -> None:
    entry = "runtime: {suggestions: [{algorithmName: pbt, image: katib/suggestion-pbt}]}\n"

    for stage in Stage:
        assert runtime(stage, entry)["suggestions"] == [
            {"algorithmName": "pbt", "image": "katib/suggestion-pbt"}
        ]


def test_a_config_without_lists_gets_the_collectors_alone() -> None:
    assert runtime(Stage.CONTROLLER, "kind: KatibConfig\n") == {
        "metricsCollectors": [
            {"kind": "StdOut", "image": IMAGES.of("collector")},
            {"kind": "File", "image": IMAGES.of("collector")},
            {"kind": "TensorFlowEvent", "image": IMAGES.of("collector")},
        ]
    }


@pytest.mark.parametrize("stage", Stage)
def test_a_stage_is_known_by_its_meaning_and_not_by_its_text(stage: Stage) -> None:
    text = at_stage(CONFIG, stage, IMAGES)

    assert is_at(f"# edited\n{text}", CONFIG, stage, IMAGES)
    others = {one for one in Stage if is_at(text, CONFIG, one, IMAGES)} - {stage}
    assert others <= {Stage.KATIB, Stage.STORE}
