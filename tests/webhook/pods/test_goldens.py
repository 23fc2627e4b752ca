"""Pods from files, and for each the verdict with its reason and the patch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonpath import patch as rfc6902

from api.objects.yamlout import dump_objects
from api.objects.yamltext import load_objects
from api.types import JsonObject
from tests.webhook.golden_cluster import GOLDENS, Cluster, shared_cluster
from tests.webhook.golden_elision import DEFAULT, FULL, MARK, elided, restored
from webhook.model.config import Config, parse_config
from webhook.model.images import ImageCommand
from webhook.model.reasons import Reason
from webhook.model.verdicts import Inject, Refuse, Verdict
from webhook.pods.mutate import mutate
from webhook.server.json_patch import patch_between

CASES = sorted(
    path.stem for path in GOLDENS.glob("*.yaml") if "." not in path.stem and path.stem != "cluster"
)


@dataclass(kw_only=True)
class Case:
    pod: Any
    config: Config
    cluster: Cluster

    def verdict(self) -> Verdict:
        return self.cluster.judge(self.pod, self.config)


def case_of(name: str) -> Case:
    text = (GOLDENS / f"{name}.yaml").read_text()
    documents = {str(one["kind"]): one for one in load_objects(text)}
    image = documents.get("Image")
    config = documents.get("KatibConfig")
    return Case(
        pod=documents["Pod"],
        config=parse_config(dump_objects([config]) if config else ""),
        cluster=shared_cluster(command(image) if image else None),
    )


def command(image: JsonObject) -> ImageCommand:
    entrypoint, cmd = image["entrypoint"], image["cmd"]
    assert isinstance(entrypoint, list)
    assert isinstance(cmd, list)
    return ImageCommand(entrypoint=tuple(map(str, entrypoint)), cmd=tuple(map(str, cmd)))


@pytest.mark.parametrize("name", CASES)
def test_the_verdict_and_patch_of_a_pod_are_its_golden(
    name: str, golden: Callable[[Path, str], None]
) -> None:
    case = case_of(name)

    golden(GOLDENS / f"{name}.golden.yaml", written(name, case.verdict()))


@pytest.mark.parametrize("name", CASES)
def test_a_golden_says_the_whole_patch(name: str) -> None:
    case = case_of(name)
    verdict = case.verdict()
    if not isinstance(verdict, Inject):
        return
    (written_down,) = load_objects((GOLDENS / f"{name}.golden.yaml").read_text())
    patch = written_down["patch"]
    assert isinstance(patch, list)

    assert restored(patch, default_patch()) == patch_of(case.pod, verdict)


def test_four_goldens_stay_in_full() -> None:
    full = {
        name
        for name in CASES
        if (text := (GOLDENS / f"{name}.golden.yaml").read_text()).startswith("verdict: inject")
        and MARK not in text
        and "/usr/local/bin/launch" in text
    }

    assert full == FULL


@pytest.mark.parametrize("name", CASES)
def test_the_patch_of_a_golden_makes_the_mutated_pod(name: str) -> None:
    case = case_of(name)
    verdict = case.verdict()
    if not isinstance(verdict, Inject):
        return
    wanted = mutate(case.pod, verdict.plan)

    patched = rfc6902.apply(patch_between(case.pod, wanted), case_of(name).pod)

    assert patched == wanted


@pytest.mark.parametrize("name", CASES)
def test_asking_once_more_changes_nothing(name: str) -> None:
    case = case_of(name)
    verdict = case.verdict()
    if not isinstance(verdict, Inject):
        return
    once = mutate(case.pod, verdict.plan)

    again = case.cluster.judge(once, case.config)

    assert isinstance(again, Inject)
    assert mutate(once, again.plan) == once
    assert mutate(once, verdict.plan) == once


def test_every_golden_has_its_case() -> None:
    assert sorted(path.name.split(".")[0] for path in GOLDENS.glob("*.golden.yaml")) == CASES


def test_there_are_at_least_forty_goldens() -> None:
    assert len(CASES) >= 40


def test_every_case_opens_with_its_sentence() -> None:
    for name in CASES:
        first = (GOLDENS / f"{name}.yaml").read_text().splitlines()[0]
        assert first.startswith("# "), name
        assert first.endswith("."), name


def test_every_reason_has_a_golden() -> None:
    reasons: set[Reason] = set()
    for name in CASES:
        verdict = case_of(name).verdict()
        reasons.add(verdict.reason)
        if isinstance(verdict, Inject):
            reasons.update(note.reason for note in verdict.warnings)

    assert set(Reason) - reasons == set()


@cache
def default_patch() -> list[JsonObject]:
    """Return the patch that the marks in the other goldens refer to."""
    case = case_of(DEFAULT)
    verdict = case.verdict()
    assert isinstance(verdict, Inject)
    return patch_of(case.pod, verdict)


def patch_of(pod: JsonObject, verdict: Inject) -> list[JsonObject]:
    return list(patch_between(pod, mutate(pod, verdict.plan)))


def written(name: str, verdict: Verdict) -> str:
    """Write the verdict on a case as YAML, in full or without what it shares with the default."""
    if not isinstance(verdict, Inject):
        word = "refuse" if isinstance(verdict, Refuse) else "skip"
        return dump_objects(
            [{"verdict": word, "reason": verdict.reason.value, "says": str(verdict)}]
        )
    warnings: list[Any] = [f"{note.reason}: {note}" for note in verdict.warnings]
    whole = patch_of(case_of(name).pod, verdict)
    patch: list[Any] = whole if name in FULL else elided(whole, default_patch())
    head: JsonObject = {"verdict": "inject", "reason": verdict.reason.value}
    return dump_objects([{**head, "warnings": warnings, "patch": patch}])
