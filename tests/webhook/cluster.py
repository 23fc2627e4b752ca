"""The cluster of the goldens: it answers what a review asks, and forbids one kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from api.objects.yamltext import load_objects
from api.types import JsonObject
from webhook.model.config import Config
from webhook.model.images import ImageCommand, ImageUnknown, ImageWanted
from webhook.model.verdicts import ReviewFacts, Verdict
from webhook.pods.decision import Question, Reply, review
from webhook.pods.owners import Absent, Answer, Failed, Found, Wanted

GOLDENS = Path(__file__).parent / "goldens"
NAMESPACE = "team"
FORBIDDEN = "Vault"


@dataclass(kw_only=True)
class Cluster:
    """Objects by apiVersion, kind and name; and what an image's registry says."""

    objects: dict[tuple[str, str, str], JsonObject]
    image: ImageCommand | ImageUnknown | None = None
    asked: list[Question] = field(default_factory=list)

    def answer(self, question: Question) -> Reply:
        self.asked.append(question)
        return self.image if isinstance(question, ImageWanted) else self._look_up(question)

    def _look_up(self, wanted: Wanted) -> Answer:
        assert wanted.namespace == NAMESPACE
        if wanted.kind == FORBIDDEN:
            return Failed("403: get of vaults.secret.example is forbidden to the webhook")
        document = self.objects.get((wanted.api_version, wanted.kind, wanted.name))
        return Absent() if document is None else Found(document)

    def judge(self, pod: JsonObject, config: Config | None = None, *, name: str = "") -> Verdict:
        questions = review(pod, ReviewFacts(namespace=NAMESPACE, name=name), config or Config())
        reply: Reply = None
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
