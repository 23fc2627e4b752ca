"""Performs the acts of a migration on a cluster; each returns when its effect is seen."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial, singledispatchmethod
from pathlib import Path
from typing import Any, Final

from api.documents import mapping_at, mappings_at, text_at
from api.errors import SetupError
from api.names import COLLECTOR_CONTAINER, CONFIG_MAP, CONFIG_MAP_KEY
from api.types import JsonObject
from kube.cluster import Cluster, Ref, ref_of, version_of
from kube.errors import AlreadyExists, Conflict, NotFound
from trialwatch.migration import acts
from trialwatch.migration import installed_names as names
from trialwatch.migration.cluster_survey import all_of, found_at, look
from trialwatch.migration.effects import Effects
from trialwatch.migration.katib_config import EDITED, Images, at_stage, is_edited
from trialwatch.migration.katib_webhooks import set_aside
from trialwatch.migration.kubectl import Kubectl
from trialwatch.migration.suggestion_history import completed_status
from trialwatch.migration.survey import OWN_SELECTOR, is_ready, replicas_of, saved_document
from trialwatch.migration.tried_pod import tried_pod

_SETTLE_SECONDS: Final = 5.0
"""How long Katib's DB manager may answer the calls under way before it ends, and how long it may
take to reach its database after its start: it has no readiness probe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Performer:
    """The acts, on one cluster.

    Every act may raise:
        RemoteError: it has no effect in time, or the cluster refuses it.
        SetupError: the user may not do this, or what was saved is missing.
    """

    effects: Effects
    kubectl: Kubectl
    folder: Path
    """The kustomizations."""
    images: Images

    @property
    def _cluster(self) -> Cluster:
        return self.effects.cluster

    @property
    def _namespace(self) -> str:
        return self.effects.namespace

    @singledispatchmethod
    async def perform(self, act: Any) -> None:  # noqa: ANN401 - one of acts.Act
        """Perform one act."""
        raise AssertionError(act)

    @perform.register
    async def _(self, act: acts.Save) -> None:  # noqa: ARG002 - it has no fields
        if await found_at(self._cluster, self._saved_ref):
            return
        seen = await look(self._cluster, self._namespace)
        config = seen.find(names.config_map(self._namespace, CONFIG_MAP))
        try:
            await self._cluster.create(
                saved_document(seen, text_at(config, "data", CONFIG_MAP_KEY))
            )
        except AlreadyExists:
            return

    @perform.register
    async def _(self, act: acts.Apply) -> None:
        await self.kubectl.apply(self.folder / act.folder)

    @perform.register
    async def _(self, act: acts.ApplyBeside) -> None:
        there = await found_at(self._cluster, names.deployment(self._namespace, act.deployment))
        if not is_ready(there or {}):
            await self.kubectl.apply(self.folder / act.folder)

    @perform.register
    async def _(self, act: acts.Remove) -> None:
        await self.kubectl.delete(self.folder / act.folder)

    @perform.register
    async def _(self, act: acts.Stop) -> None:
        ref = names.deployment(self._namespace, act.deployment)
        if not (deployment := await found_at(self._cluster, ref)):
            return
        if act.deployment == names.KATIB_DB_MANAGER and replicas_of(deployment):
            await self.effects.pause(_SETTLE_SECONDS)
        await self._cluster.patch(ref, {"spec": {"replicas": 0}})
        await self.effects.gone(act.deployment)

    @perform.register
    async def _(self, act: acts.Start) -> None:
        replicas = int((await self._saved())[f"{act.deployment}.replicas"])
        ref = names.deployment(self._namespace, act.deployment)
        await self._cluster.patch(ref, {"spec": {"replicas": replicas}})
        await self.effects.ready(act.deployment)
        if act.deployment == names.KATIB_DB_MANAGER:
            await self.effects.pause(_SETTLE_SECONDS)

    @perform.register
    async def _(self, act: acts.Ready) -> None:
        await self.effects.ready(act.deployment)

    @perform.register
    async def _(self, act: acts.Lead) -> None:
        saved = {} if act.ours else json.loads((await self._saved())["selector.json"])
        selector = OWN_SELECTOR if act.ours else saved
        service = names.service(self._namespace)

        def led(document: JsonObject) -> JsonObject:
            return {**document, "spec": {**mapping_at(document, "spec"), "selector": selector}}

        await self._change(service, led)
        await self.effects.led_to(service, act.deployment)

    @perform.register
    async def _(self, act: acts.Configure) -> None:
        original = (await self._saved())[CONFIG_MAP_KEY]
        text = at_stage(original, act.stage, self.images)

        def configured(document: JsonObject) -> JsonObject:
            if is_edited(text_at(document, "data", CONFIG_MAP_KEY), original, self.images):
                raise SetupError(EDITED)
            return {**document, "data": {**mapping_at(document, "data"), CONFIG_MAP_KEY: text}}

        await self._change(names.config_map(self._namespace, CONFIG_MAP), configured)

    @perform.register
    async def _(self, act: acts.SetAside) -> None:
        for ref in (names.MUTATING, names.VALIDATING):
            await self._change(ref, lambda d: set_aside(d, act.entries, aside=act.aside))

    @perform.register
    async def _(self, act: acts.RestoreDefinitions) -> None:  # noqa: ARG002 - it has no fields
        saved = await self._saved()
        for name in names.CRDS:
            spec = json.loads(saved[f"{name}.json"])
            await self._change(names.crd(name), partial(_with_spec, spec=spec))

    @perform.register
    async def _(self, act: acts.CompleteSuggestions) -> None:  # noqa: ARG002 - it has no fields
        trials = await all_of(self._cluster, "Trial")
        for suggestion in await all_of(self._cluster, "Suggestion"):
            namespace = text_at(suggestion, "metadata", "namespace")
            nearby = [one for one in trials if text_at(one, "metadata", "namespace") == namespace]
            if patch := completed_status(suggestion, nearby):
                version = {"metadata": {"resourceVersion": version_of(suggestion)}}
                await self._cluster.patch(ref_of(suggestion), {**version, **patch}, status=True)

    @perform.register
    async def _(self, act: acts.Deregister) -> None:  # noqa: ARG002 - it has no fields
        await self._delete(names.OWN_MUTATING)

    @perform.register
    async def _(self, act: acts.Forget) -> None:  # noqa: ARG002 - it has no fields
        await self._delete(self._saved_ref)

    @perform.register
    async def _(self, act: acts.TryPod) -> None:  # noqa: ARG002 - it has no fields
        async def missing() -> str:
            made = await self.kubectl.tried(tried_pod(self._namespace))
            every = [*mappings_at(made, "spec", "initContainers")]
            every += mappings_at(made, "spec", "containers")
            found = [text_at(one, "image") for one in every if one["name"] == COLLECTOR_CONTAINER]
            wanted = [self.images.of("collector")]
            return "" if found == wanted else f"its collectors are {found}, not {wanted}"

        await self.effects.until("a pod to get trialwatch's collector", missing)

    @property
    def _saved_ref(self) -> Ref:
        return names.config_map(self._namespace, names.SAVED)

    async def _saved(self) -> Mapping[str, str]:
        document = await found_at(self._cluster, self._saved_ref)
        if document is None:
            raise SetupError(
                f"the ConfigMap {names.SAVED} in {self._namespace} is gone, so it is not known what"
                " was there before; apply Katib's own manifests"
            )
        return {key: str(text) for key, text in mapping_at(document, "data").items()}

    async def _delete(self, ref: Ref) -> None:
        try:
            await self._cluster.delete(ref)
        except NotFound:
            return

    async def _change(self, ref: Ref, change: Callable[[JsonObject], JsonObject]) -> None:
        """Change an object, also while others do; an object that does not exist is left out."""
        while (document := await found_at(self._cluster, ref)) is not None:
            if (wanted := change(document)) == document:
                return
            try:
                await self._cluster.replace(wanted)
            except Conflict:
                continue
            return


def _with_spec(document: JsonObject, spec: JsonObject) -> JsonObject:
    return {**document, "spec": spec}
