"""The cluster of the goldens: answers the look-ups of a decision, and forbids one kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from api.objects.yamltext import load_objects
from api.types import JsonObject
from webhook.model.config import Config
from webhook.model.images import ImageCommand
from webhook.model.lookups import (
    Answer,
    ImageLookup,
    ImageUnknown,
    Lookup,
    LookupFailed,
    ObjectAbsent,
    ObjectAnswer,
    ObjectFound,
    ObjectLookup,
)
from webhook.model.verdicts import PodContext, Verdict
from webhook.pods.decision import decide_on_pod

GOLDENS = Path(__file__).parent / "goldens"
NAMESPACE = "team"
FORBIDDEN = "Vault"


@dataclass(kw_only=True)
class Cluster:
    """Objects by apiVersion, kind and name, and the command of each image."""

    objects: dict[tuple[str, str, str], JsonObject]
    image: ImageCommand | ImageUnknown | None = None
    asked: list[Lookup] = field(default_factory=list)

    def answer(self, question: Lookup) -> Answer:
        self.asked.append(question)
        return self.image if isinstance(question, ImageLookup) else self._look_up(question)

    def _look_up(self, wanted: ObjectLookup) -> ObjectAnswer:
        assert wanted.namespace == NAMESPACE
        if wanted.kind == FORBIDDEN:
            return LookupFailed("403: get of vaults.secret.example is forbidden to the webhook")
        document = self.objects.get((wanted.api_version, wanted.kind, wanted.name))
        return ObjectAbsent() if document is None else ObjectFound(document)

    def judge(self, pod: JsonObject, config: Config | None = None, *, name: str = "") -> Verdict:
        questions = decide_on_pod(
            pod, PodContext(namespace=NAMESPACE, name=name), config or Config()
        )
        reply: Answer = None
        try:
            question = next(questions)
            while True:
                reply = self.answer(question)
                question = questions.send(reply)
        except StopIteration as end:
            verdict: Verdict = end.value
            return verdict


def cluster_of(documents: Iterable[JsonObject], image: ImageCommand | None = None) -> Cluster:
    objects = {
        (str(one["apiVersion"]), str(one["kind"]), name_of(one)): one
        for one in documents
        if "metadata" in one
    }
    return Cluster(objects=objects, image=image)


def shared_cluster(image: ImageCommand | None = None) -> Cluster:
    """Return the cluster of goldens/cluster.yaml."""
    return cluster_of(_shared(), image)


@cache
def _shared() -> tuple[JsonObject, ...]:
    return tuple(load_objects((GOLDENS / "cluster.yaml").read_text()))


def name_of(document: JsonObject) -> str:
    metadata = document["metadata"]
    assert isinstance(metadata, dict)
    return str(metadata.get("name", ""))
