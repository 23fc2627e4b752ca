"""Katib's programs and trialwatch's in every mix that users can have, on the node of the tests.

Katib's webhook is a part of its controller's process, so trialwatch's controller always goes with
trialwatch's webhook; and trialwatch's webhook refuses Katib's collector.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.names import CONFIG_MAP, CONFIG_MAP_KEY
from kube.connect import connected
from tests.architecture.tree import ROOT
from tests.cluster.client import Cluster
from tests.cluster.katib_config import edit_katib_config
from tests.cluster.katib_installation import NAMESPACE
from trialwatch.migration import acts
from trialwatch.migration.cluster_survey import look
from trialwatch.migration.effects import Effects
from trialwatch.migration.installed_names import SAVED
from trialwatch.migration.katib_config import Images, Stage
from trialwatch.migration.kubectl import InstalledKubectl
from trialwatch.migration.performer import Performer
from trialwatch.migration.plan import STAGES, acts_back, acts_forth
from trialwatch.migration.survey import survey_of
from trialwatch.migration.taking_over import Wanted, write

IMAGES = Images(prefix="docker.io/trialwatch", tag="0.1.0")
_KATIBS = "ghcr.io/kubeflow/katib"
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

    @property
    def stages(self) -> frozenset[Stage]:
        """The steps of a migration whose programs it has."""
        parts = {
            Stage.STORE: self.store,
            Stage.WEBHOOK: self.webhook,
            Stage.SEARCH: self.search,
            Stage.CONTROLLER: self.controller,
        }
        return frozenset(stage for stage, ours in parts.items() if ours)


_POSSIBLE = [(False, False, False), (False, False, True), (False, True, True), (True, True, True)]
# Each differs from the one before in as few programs as possible, and the last is all of trialwatch.
_OTHERS = [(False, False), (True, False), (False, True), (True, True)]
MIXES = [
    Mix(controller=controller, webhook=webhook, collector=collector, store=store, search=search)
    for controller, webhook, collector in _POSSIBLE
    for store, search in _OTHERS
]


class Mixer:
    """Brings a cluster from one mix to the next; it begins with Katib alone."""

    def __init__(self, cluster: Cluster, folder: Path, version: str) -> None:
        """Act on `cluster`, with kustomizations in `folder`; `version` is that of Katib's images."""
        self._cluster = cluster
        self._folder = folder
        self._version = version
        self._now = Mix()
        asyncio.run(self._perform([acts.Save()]))

    def become(self, mix: Mix) -> None:
        """Bring the cluster to a mix."""
        back = [stage for stage in reversed(STAGES) if stage in self._now.stages - mix.stages]
        forth = [stage for stage in STAGES if stage in mix.stages - self._now.stages]
        every = [act for stage in back for act in acts_back(stage) if act != acts.Forget()]
        every += [act for stage in forth for act in acts_forth(stage)]
        self._restore()
        asyncio.run(self._perform(every))
        edit_katib_config(self._cluster, lambda config: self._configure(config, mix))
        self._now = mix

    def end(self) -> None:
        """Bring the cluster back to Katib alone."""
        back = [act for stage in reversed(STAGES) for act in acts_back(stage)]
        self._restore()
        asyncio.run(self._perform(back))

    def _restore(self) -> None:
        """Give katib-config Katib's own text: a migration refuses a text that it did not write."""
        saved = self._cluster.get("configmaps", NAMESPACE, SAVED) or {}
        data = {CONFIG_MAP_KEY: saved["data"][CONFIG_MAP_KEY]}
        self._cluster.patch("configmaps", NAMESPACE, CONFIG_MAP, {"data": data})

    def _configure(self, config: Any, mix: Mix) -> None:  # noqa: ANN401 - YAML
        """Name the images of the mix, whatever the steps have named."""
        runtime = config["runtime"]
        katibs = f"{_KATIBS}/file-metrics-collector:{self._version}"
        for entry in runtime["metricsCollectors"]:
            if entry["kind"] in ("StdOut", "File"):
                entry["image"] = IMAGES.of("collector") if mix.collector else katibs
        katibs = f"{_KATIBS}/suggestion-goptuna:{self._version}"
        image = IMAGES.of("suggestion") if mix.search else katibs
        resources = {"limits": {"memory": "1536Mi"}} if mix.search else {}
        entry = {"algorithmName": "random", "image": image, "resources": resources}
        others = [one for one in runtime["suggestions"] if one["algorithmName"] != "random"]
        # Without an entry, trialwatch's controller calls trialwatch's own service.
        runtime["suggestions"] = others if mix.controller and mix.search else [*others, entry]

    async def _perform(self, every: list[acts.Act]) -> None:
        kubeconfig = Path(self._cluster.argv()[1].partition("=")[2])
        async with connected(kubeconfig) as client:
            survey = survey_of(await look(client, NAMESPACE), IMAGES)
            wanted = Wanted(
                folder=self._folder,
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
                folder=self._folder,
                images=IMAGES,
            )
            for act in every:
                await performer.perform(act)
