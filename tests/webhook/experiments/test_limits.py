"""One request must not stop admission: what grows with a request is limited before it is done."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
import re2

from kube.testing.memory import MemoryCluster
from tests.call_counts import calls_of
from tests.webhook.experiments.experiment_documents import (
    Document,
    collected,
    experiment,
    in_a_config_map,
    spec,
)
from tests.webhook.golden_cluster import cluster_of
from tests.webhook.running_webhook import Webhook, webhook
from tests.webhook.trial_objects import pod, trial
from webhook.experiments.authors import RightGranted
from webhook.experiments.decision import decide_on_experiment
from webhook.experiments.request import ExperimentRequest
from webhook.model.config import Config
from webhook.model.reasons import Reason
from webhook.model.verdicts import Refuse, Verdict
from webhook.server.experiment_handler import MUTATE, VALIDATE

BOTH = pytest.mark.parametrize("path", [MUTATE, VALIDATE])
FILTER = "spec.metricsCollectorSpec.source.filter.metricsFormat"


@pytest.fixture
async def running() -> AsyncIterator[Webhook]:
    async with webhook(MemoryCluster(namespaces=("team",))) as running:
        yield running


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """List what RE2 compiles."""
    compiled: list[str] = []
    compile_ = re2.compile

    def counted(source: str, *options: object) -> Any:  # noqa: ANN401 - re2 has no types
        compiled.append(source)
        return compile_(source, *options)

    monkeypatch.setattr(re2, "compile", counted)
    return compiled


def causes(response: dict[str, Any]) -> list[tuple[str, str]]:
    assert not response["allowed"]
    listed = response["status"]["details"]["causes"]
    return [(cause["field"], cause["message"]) for cause in listed]


@BOTH
async def test_a_pattern_of_a_megabyte_is_refused_and_never_compiled(
    running: Webhook, compiled: list[str], path: str
) -> None:
    """It took 10 s and 1.9 GiB, before the API server checked its length."""
    pattern = "(a)(b)" + "x{1000}" * 170_000
    document = experiment(collected("StdOut", filter={"metricsFormat": [pattern]}))

    ((place, message),) = causes(await running.experiment(path, document, dryRun=True))

    assert place == f"{FILTER}[0]"
    assert f"must have at most 16384 characters, not {len(pattern)}" in message
    assert len(message) < 300
    assert not compiled


@BOTH
async def test_thousands_of_patterns_are_refused_and_never_compiled(
    running: Webhook, compiled: list[str], path: str
) -> None:
    patterns = [f"(a)(b{number})" for number in range(10_000)]
    document = experiment(collected("StdOut", filter={"metricsFormat": patterns}))

    ((place, message),) = causes(await running.experiment(path, document))

    assert place == FILTER
    assert "must have at most 100 items" in message
    assert not compiled


async def test_a_stored_experiment_beyond_a_limit_may_still_be_changed(running: Webhook) -> None:
    long = "(a)(b)" + "x" * 20_000
    stored = experiment(collected("StdOut", filter={"metricsFormat": [long]}))
    changed = experiment(
        collected("StdOut", filter={"metricsFormat": [long]}), spec("parallelTrialCount", 1)
    )

    response = await running.experiment(VALIDATE, changed, oldObject=stored, operation="UPDATE")

    assert response["allowed"], response


def work(document: Document) -> int:
    """Count the calls of a decision about a new experiment."""
    request = ExperimentRequest(namespace="team", name="e", document=document)

    def decide() -> None:
        decision = decide_on_experiment(request, Config())
        with suppress(StopIteration):
            next(decision)
            while True:
                decision.send(RightGranted())

    decide()
    return calls_of(decide)


def with_spec(**parts: object) -> Document:
    document = experiment()
    document["spec"] |= parts
    return document


MOST = 200_000
"""Calls of functions: about 0.1 s. A decision about a usual experiment makes 3,000."""


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(with_spec(parameters=[1] * 700_000), id="parameters"),
        pytest.param(
            with_spec(algorithm={"algorithmName": "random", "algorithmSettings": [1] * 700_000}),
            id="settings",
        ),
        pytest.param(with_spec(resumePolicy="x" * 1_500_000), id="a long text"),
        pytest.param(
            with_spec(
                objective={
                    "type": "minimize",
                    "objectiveMetricName": "loss",
                    "additionalMetricNames": [f"{i}" + "x" * 700 for i in range(1000)],
                    "metricStrategies": [{"name": f"no{i}", "value": "min"} for i in range(1000)],
                }
            ),
            id="strategies of unknown metrics",
        ),
        pytest.param(
            experiment(spec("trialTemplate.trialSpec.spec.x", "${trialParameters." * 60_000)),
            id="placeholders without an end",
        ),
        pytest.param(
            experiment(spec("trialTemplate.successCondition", "#(" * 500_000)), id="gjson"
        ),
    ],
)
def test_the_work_for_an_experiment_as_large_as_an_object_can_be_is_limited(
    document: Document,
) -> None:
    assert len(json.dumps(document)) < 3 << 20
    assert work(document) < MOST


async def test_a_template_whose_aliases_stand_for_gigabytes_is_refused() -> None:
    text = f"apiVersion: batch/v1\nkind: Job\na: &a {'x' * 300_000}\nb: [{'*a, ' * 15_000}]\n"
    memory = MemoryCluster(namespaces=("team",))
    metadata = {"name": "templates", "namespace": "team"}
    await memory.create(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"job": text}}
    )
    async with webhook(memory) as running:
        listed = causes(await running.experiment(VALIDATE, experiment(in_a_config_map())))

    assert any("characters after its aliases are expanded" in message for _, message in listed)


# -- pods -----------------------------------------------------------------------------------


def annotated(**annotations: str) -> Document:
    document = pod()
    document["metadata"] = {
        "name": "p",
        "labels": {"trialwatch.dev/collect": "true"},
        "annotations": {
            f"trialwatch.dev/{name}": value
            for name, value in {"metrics": "loss", **annotations}.items()
        },
    }
    return document


@pytest.mark.parametrize(
    ("annotations", "words"),
    [
        ({"filters": "(a)(b)" + "x{1000}" * 36_000}, "252006 characters in all metricsFormats"),
        ({"filters": "(a)(b)\n" * 36_000}, "36000 metricsFormats: 100 are allowed"),
        ({"metrics": ";".join(f"m{i}" for i in range(30_000))}, "30000 metrics: 1001 are allowed"),
        ({"resources": "{" + "?," * 120_000 + "}"}, "has 240002 characters"),
    ],
    ids=["a pattern", "patterns", "metrics", "resources"],
)
def test_a_large_annotation_is_refused_and_never_compiled(
    annotations: dict[str, str], words: str, compiled: list[str]
) -> None:
    """A pattern of 255 KB took 4.3 s."""
    verdict = cluster_of([]).judge(annotated(**annotations))

    assert isinstance(verdict, Refuse)
    assert verdict.reason in {Reason.FILTER_WRONG, Reason.ANNOTATION_WRONG}
    assert words in str(verdict)
    assert len(str(verdict)) < 1000
    assert not compiled


def test_a_pod_whose_trial_was_written_by_hand_and_is_too_large_is_refused_unread() -> None:
    large = trial()
    large["spec"]["objective"]["additionalMetricNames"] = ["x"] * 300_000
    cluster = cluster_of([large])
    verdicts: list[Verdict] = []

    calls = calls_of(lambda: verdicts.append(cluster.judge(pod(large))))

    (verdict,) = verdicts
    assert isinstance(verdict, Refuse)
    assert verdict.reason is Reason.TRIAL_UNREADABLE
    assert "spec: Invalid value: a mapping with" in str(verdict)
    assert calls < MOST
