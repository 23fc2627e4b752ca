"""Katib's programs and trialwatch's in every mix that users can have, on the node of the tests.

Katib's webhook is a part of its controller's process, so trialwatch's controller always goes with
trialwatch's webhook.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kube.connect import connected
from tests.architecture.tree import ROOT
from tests.cluster.client import Cluster
from tests.cluster.katib_config import edit_katib_config
from tests.cluster.katib_installation import NAMESPACE
from trialwatch.migration import acts
from trialwatch.migration.cluster_survey import look
from trialwatch.migration.effects import Effects
from trialwatch.migration.katib_config import Images, Stage
from trialwatch.migration.kubectl import InstalledKubectl
from trialwatch.migration.performer import Performer
from trialwatch.migration.plan import steps_back, steps_forth
from trialwatch.migration.survey import Survey, survey_of
from trialwatch.migration.taking_over import Wanted, write

IMAGES = Images(prefix="docker.io/trialwatch", tag="0.1.0")
_PATIENCE_SECONDS = 240.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """Which of the programs are trialwatch's; the others are Katib's."""

    controller: bool = False
    webhook: bool = False
    collector: bool = False
    store: bool = False
    search: bool = False

    @property
    def cells(self) -> list[str]:
        """The cells of its row."""
        parts = (self.controller, self.webhook, self.collector, self.store, self.search)
        return ["trialwatch" if ours else "Katib" for ours in parts]


_POSSIBLE = [(False, False, False), (False, False, True), (False, True, True), (True, True, True)]
MIXES = [
    Mix(controller=controller, webhook=webhook, collector=collector, store=store, search=search)
    for controller, webhook, collector in _POSSIBLE
    for store in (False, True)
    for search in (False, True)
]


@contextmanager
def mixed(cluster: Cluster, mix: Mix, folder: Path) -> Iterator[None]:
    """Bring the cluster from Katib's programs to a mix; afterwards back."""
    asyncio.run(_act(cluster, folder, lambda survey: [acts.Save(), *_forth(mix, survey)]))
    edit_katib_config(cluster, lambda config: _configure(config, mix))
    try:
        yield
    finally:
        asyncio.run(_act(cluster, folder, _back))


def _forth(mix: Mix, survey: Survey) -> list[acts.Act]:
    """Return the acts of those steps of a migration whose programs the mix has."""
    wanted = {
        Stage.STORE: mix.store,
        Stage.WEBHOOK: mix.webhook,
        Stage.SEARCH: mix.search,
        Stage.CONTROLLER: mix.controller,
    }
    steps = steps_forth(survey, Stage.CONTROLLER)
    return [act for step in steps if wanted[step.stage] for act in step.acts]


def _back(survey: Survey) -> list[acts.Act]:
    steps = steps_back(survey, Stage.KATIB)
    return [acts.Configure(Stage.KATIB), *(act for step in steps for act in step.acts)]


def _configure(config: Any, mix: Mix) -> None:  # noqa: ANN401 - YAML
    """Name the images of the mix, whatever the steps have named."""
    runtime = config["runtime"]
    katibs = "ghcr.io/kubeflow/katib"
    collector = (
        IMAGES.of("collector") if mix.collector else f"{katibs}/file-metrics-collector:v0.19.0"
    )
    for entry in runtime["metricsCollectors"]:
        if entry["kind"] in ("StdOut", "File"):
            entry["image"] = collector
    if mix.controller and mix.search:
        return
    search = IMAGES.of("suggestion") if mix.search else f"{katibs}/suggestion-goptuna:v0.19.0"
    resources = {"limits": {"memory": "1536Mi"}} if mix.search else {}
    entry = {"algorithmName": "random", "image": search, "resources": resources}
    others = [one for one in runtime["suggestions"] if one["algorithmName"] != "random"]
    runtime["suggestions"] = [*others, entry]


async def _act(
    cluster: Cluster, folder: Path, acts_for: Callable[[Survey], list[acts.Act]]
) -> None:
    kubeconfig = Path(cluster.argv()[1].partition("=")[2])
    async with connected(kubeconfig) as client:
        survey = survey_of(await look(client, NAMESPACE), IMAGES)
        wanted = Wanted(
            folder=folder,
            manifests=ROOT / "manifests",
            namespace=NAMESPACE,
            images=IMAGES,
            last=None,
            act=True,
            back=False,
            patience=_PATIENCE_SECONDS,
        )
        write(wanted, survey)
        performer = Performer(
            effects=Effects(cluster=client, namespace=NAMESPACE, patience=_PATIENCE_SECONDS),
            kubectl=InstalledKubectl(kubeconfig, ""),
            folder=folder,
            images=IMAGES,
        )
        for act in acts_for(survey):
            await performer.perform(act)
