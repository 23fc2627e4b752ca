"""Reviews of the deletion of CRDs: trialwatch's finalizers go before the deletion begins."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from api import names
from api.errors import Unavailable
from api.types import JsonObject
from kube.cluster import Patch, Ref
from kube.errors import Forbidden
from kube.testing.memory import MemoryCluster
from tests.polling import SECONDS
from tests.webhook import trial_objects
from tests.webhook.running_webhook import NAMESPACE, Webhook, asked, webhook
from webhook.server.uninstall_handler import PATH

EXPERIMENTS, TRIALS = "experiments.kubeflow.org", "trials.kubeflow.org"
FOREIGN = "somebody/else"
CRDS = {"group": "apiextensions.k8s.io", "version": "v1", "resource": "customresourcedefinitions"}


class Changing(MemoryCluster):
    """A cluster whose patches fail first with these errors."""

    def __init__(self, *errors: Exception) -> None:
        super().__init__(namespaces=(NAMESPACE, "other"))
        self.errors = list(errors)
        self.touched = 0

    async def patch(self, ref: Ref, patch: Patch, *, status: bool = False) -> JsonObject:
        if self.errors:
            raise self.errors.pop(0)
        if self.touched:  # another program is faster
            self.touched -= 1
            await super().patch(ref, {"metadata": {"labels": {"touched": str(self.touched)}}})
        return await super().patch(ref, patch, status=status)


async def with_crds(cluster: MemoryCluster, *deleted: str) -> MemoryCluster:
    """Give the cluster both CRDs, some of which are being deleted."""
    for name in (EXPERIMENTS, TRIALS):
        await cluster.create(
            {
                "apiVersion": "apiextensions.k8s.io/v1",
                "kind": "CustomResourceDefinition",
                "metadata": {"name": name, "finalizers": ["customresourcecleanup"]},
            }
        )
    for name in deleted:
        await delete(cluster, name)
    return cluster


async def delete(cluster: MemoryCluster, crd: str) -> None:
    kind = "CustomResourceDefinition"
    await cluster.delete(Ref(api_version="apiextensions.k8s.io/v1", kind=kind, name=crd))


async def await_no_finalizers(cluster: MemoryCluster, ref: Ref) -> None:
    async with asyncio.timeout(SECONDS):
        while await finalizers(cluster, ref):  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)


async def with_finalizers(
    cluster: MemoryCluster, name: str, *finalizers: str, kind: str = "Trial", where: str = NAMESPACE
) -> Ref:
    metadata = {"name": name, "namespace": where, "finalizers": list(finalizers)}
    document = {**trial_objects.trial(name), "kind": kind, "metadata": metadata}
    await cluster.create(document)
    return Ref(api_version=trial_objects.KATIB, kind=kind, namespace=where, name=name)


async def finalizers(cluster: MemoryCluster, ref: Ref) -> object:
    metadata: Any = (await cluster.get(ref))["metadata"]
    return metadata.get("finalizers", [])


async def deletion(
    running: Webhook, crd: str = TRIALS, *, within: str = "10s", **fields: object
) -> dict[str, Any]:
    """Send the review of a CRD's deletion; return its response."""
    old = {"metadata": {"name": crd}}
    review = asked(None, resource=CRDS, operation="DELETE", namespace="", oldObject=old, **fields)
    answer = await running.post(json.dumps(review).encode(), within=within, path=PATH)
    assert answer.status == 200, answer.text
    response: dict[str, Any] = json.loads(answer.text)["response"]
    assert response["allowed"]
    return response


async def test_when_both_crds_go_all_objects_lose_the_finalizer_and_keep_those_of_others() -> None:
    cluster = Changing()
    refs = [
        await with_finalizers(cluster, "one", names.TRIAL_FINALIZER),
        await with_finalizers(cluster, "two", FOREIGN, names.TRIAL_FINALIZER, where="other"),
        await with_finalizers(cluster, "three", FOREIGN),
        await with_finalizers(cluster, "e", names.EXPERIMENT_FINALIZER, kind="Experiment"),
    ]
    await with_crds(cluster, EXPERIMENTS)
    async with webhook(cluster) as running:
        response = await deletion(running)

        assert [await finalizers(cluster, ref) for ref in refs] == [[], [FOREIGN], [FOREIGN], []]
        (warning,) = response["warnings"]
        assert "removed the finalizer clean-metrics-in-db of 2 objects of the kind Trial" in warning
        labels = {"path": "release-finalizers", "verdict": "allow"}
        assert await running.metric("trialwatch_webhook_experiment_reviews_total", **labels) == 1


@pytest.mark.parametrize("crd", [EXPERIMENTS, TRIALS])
async def test_a_review_that_anybody_can_send_changes_nothing_while_both_crds_stay(
    crd: str,
) -> None:
    cluster = Changing()
    trial = await with_finalizers(cluster, "one", names.TRIAL_FINALIZER)
    ref = await with_finalizers(cluster, "e", names.EXPERIMENT_FINALIZER, kind="Experiment")
    await with_crds(cluster)
    async with webhook(cluster) as running:
        response = await deletion(running, crd)
        await asyncio.sleep(1)

    assert await finalizers(cluster, trial) == [names.TRIAL_FINALIZER]
    assert await finalizers(cluster, ref) == [names.EXPERIMENT_FINALIZER]
    assert "warnings" not in response


@pytest.mark.parametrize(
    "fields", [{"crd": "widgets.example.org"}, {"dryRun": True}], ids=["another CRD", "dry run"]
)
async def test_another_crd_and_a_dry_run_change_nothing(fields: dict[str, Any]) -> None:
    cluster = Changing()
    ref = await with_finalizers(cluster, "one", names.TRIAL_FINALIZER)
    await with_crds(cluster, EXPERIMENTS, TRIALS)
    async with webhook(cluster) as running:
        response = await deletion(running, **fields)

    assert await finalizers(cluster, ref) == [names.TRIAL_FINALIZER]
    assert "warnings" not in response


async def test_a_trial_that_changes_meanwhile_and_an_overloaded_server_are_asked_again() -> None:
    cluster = Changing(Unavailable("overloaded"))
    cluster.touched = 2
    ref = await with_finalizers(cluster, "one", names.TRIAL_FINALIZER)
    await with_crds(cluster, EXPERIMENTS)
    async with webhook(cluster) as running:
        await deletion(running)

    assert await finalizers(cluster, ref) == []


async def test_when_only_the_crd_of_trials_goes_they_lose_it_once_the_deletion_has_begun() -> None:
    cluster = Changing()
    ref = await with_finalizers(cluster, "one", names.TRIAL_FINALIZER)
    await with_crds(cluster)
    async with webhook(cluster) as running:
        await deletion(running)
        assert await finalizers(cluster, ref) == [names.TRIAL_FINALIZER]
        await delete(cluster, TRIALS)

        await await_no_finalizers(cluster, ref)


async def test_a_trial_that_is_created_after_the_answer_loses_it_too() -> None:
    cluster = await with_crds(Changing(), EXPERIMENTS)
    async with webhook(cluster) as running:
        await deletion(running)
        await delete(cluster, TRIALS)
        ref = await with_finalizers(cluster, "late", names.TRIAL_FINALIZER)

        await await_no_finalizers(cluster, ref)


async def test_without_the_right_the_deletion_is_allowed_and_the_user_knows_what_to_do() -> None:
    cluster = Changing(*[Forbidden("you may not") for _ in range(10)])
    await with_finalizers(cluster, "one", names.TRIAL_FINALIZER)
    await with_crds(cluster, EXPERIMENTS)
    async with webhook(cluster) as running:
        (warning,) = (await deletion(running))["warnings"]

    assert "cannot remove the finalizers of objects of the kind Trial: you may not" in warning
    assert "remove them by hand (docs/install.md, Removing it)" in warning


async def test_when_the_time_is_over_the_deletion_is_allowed_and_the_user_knows_what_to_do() -> (
    None
):
    cluster = Changing(*[Unavailable("overloaded") for _ in range(1000)])
    await with_finalizers(cluster, "one", names.TRIAL_FINALIZER)
    await with_crds(cluster, EXPERIMENTS)
    async with webhook(cluster) as running:
        (warning,) = (await deletion(running, within="0.5s"))["warnings"]

    assert "objects of the kind Trial may still have the finalizer clean-metrics-in-db" in warning


async def test_a_request_that_is_not_the_deletion_of_a_crd_is_rejected() -> None:
    async with webhook() as running:
        answer = await running.post(json.dumps(asked({})).encode(), path=PATH)

    assert answer.status == 400
    assert "this path reviews only the deletion of CRDs" in answer.text
