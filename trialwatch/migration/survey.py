"""What a cluster with Katib shows: who serves what, which database, which experiments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from api.documents import mapping_at, mappings_at, text_at, value_at
from api.errors import SetupError, UserError
from api.names import CONFIG_MAP, CONFIG_MAP_KEY
from api.types import JsonObject
from kube.cluster import Ref
from trialwatch.migration import installed_names as names
from trialwatch.migration.katib_config import Images, Stage, is_at, is_edited
from trialwatch.migration.katib_webhooks import EXPERIMENT_ENTRIES, POD_ENTRIES, are_aside

_ENDED: Final = frozenset({"Succeeded", "Failed"})
_DATABASES: Final = {"mysql": "MySQL", "postgres": "PostgreSQL"}
OWN_SELECTOR: Final = {"app.kubernetes.io/name": names.KATIB_DB_MANAGER}
"""The labels of the pods of trialwatch's DB manager."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The objects that were read. What does not exist is missing."""

    namespace: str
    """Katib's own namespace."""
    objects: Mapping[Ref, JsonObject]
    experiments: tuple[JsonObject, ...] = ()
    """Those of all namespaces."""

    def find(self, ref: Ref) -> JsonObject:
        """Return an object, or {}."""
        return self.objects.get(ref, {})

    def deployment(self, name: str) -> JsonObject:
        """Return a Deployment of Katib's namespace, or {}."""
        return self.find(names.deployment(self.namespace, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a migration knows about a cluster."""

    namespace: str
    version: str
    """The tag of the image of Katib's controller."""
    database: str
    """`MySQL` or `PostgreSQL`."""
    container: JsonObject
    """The container of Katib's DB manager: its variables have the database's address."""
    config: str
    """The text of katib-config now."""
    original: str
    """The text of katib-config before the migration."""
    saved: bool
    """Whether the ConfigMap `trialwatch-migration` exists."""
    done: frozenset[Stage]
    """The steps whose result is in the cluster."""
    begun: frozenset[Stage]
    """The steps of which a part is in the cluster, and those that are done."""
    edited: bool
    """Whether somebody else has changed katib-config since the migration began."""
    ui: bool
    """Whether Katib's UI is installed."""
    running: tuple[str, ...] = ()
    """The experiments that have not ended, as `namespace/name`."""
    ended: int = 0
    """How many experiments have ended."""


def survey_of(seen: Seen, images: Images) -> Survey:
    """Return what the objects mean.

    Raises:
        UserError: there is no Katib in this namespace.
        SetupError: its DB manager has a database that trialwatch does not know, or katib-config
            cannot be read.
    """
    controller = seen.deployment(names.KATIB_CONTROLLER)
    manager = seen.deployment(names.KATIB_DB_MANAGER)
    if not controller or not manager:
        missing = names.KATIB_DB_MANAGER if controller else names.KATIB_CONTROLLER
        raise UserError(
            f"there is no Katib in the namespace {seen.namespace}: the Deployment {missing} is"
            " missing; give Katib's namespace by --core-namespace, or install trialwatch without"
            " Katib (docs/install.md)"
        )
    saved = seen.find(names.config_map(seen.namespace, names.SAVED))
    config = text_at(
        seen.find(names.config_map(seen.namespace, CONFIG_MAP)), "data", CONFIG_MAP_KEY
    )
    original = text_at(saved, "data", CONFIG_MAP_KEY) or config
    container = next(iter(mappings_at(manager, "spec", "template", "spec", "containers")), {})
    running = tuple(one for one in seen.experiments if not _has_ended(one))
    facts = _Facts(seen, config, original, images)
    return Survey(
        namespace=seen.namespace,
        version=_tag(controller),
        database=_database(container),
        container=container,
        config=config,
        original=original,
        saved=bool(saved),
        done=frozenset(
            stage
            for stage, parts in facts.parts().items()
            if all(one is not False for one in parts)
        ),
        begun=frozenset(
            stage
            for stage, parts in facts.parts().items()
            if any(parts) or facts.deployed(stage) or (saved and stage is Stage.STORE)
        ),
        edited=is_edited(config, original, images),
        ui=bool(seen.deployment(names.KATIB_UI)),
        running=tuple(map(_named, running)),
        ended=len(seen.experiments) - len(running),
    )


def saved_document(seen: Seen, original: str) -> JsonObject:
    """Return the ConfigMap that a way back needs, from a cluster that nothing has changed yet."""
    data = {CONFIG_MAP_KEY: original}
    for name in (names.KATIB_CONTROLLER, names.KATIB_DB_MANAGER):
        data[f"{name}.replicas"] = str(replicas_of(seen.deployment(name)))
    service = seen.find(names.service(seen.namespace))
    data["selector.json"] = json.dumps(mapping_at(service, "spec", "selector"))
    for name in names.CRDS:
        data[f"{name}.json"] = json.dumps(mapping_at(seen.find(names.crd(name)), "spec"))
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": names.SAVED, "namespace": seen.namespace},
        "data": data,
    }


def replicas_of(deployment: JsonObject) -> int:
    """Return how many replicas a Deployment shall have; 0 if it does not exist."""
    wanted = value_at(deployment, "spec", "replicas")
    return wanted if isinstance(wanted, int) else int(bool(deployment))


def is_ready(deployment: JsonObject) -> bool:
    """Return whether all replicas of a Deployment run its present template, and are available."""
    status, wanted = mapping_at(deployment, "status"), replicas_of(deployment)
    seen, generation = (
        status.get("observedGeneration"),
        value_at(deployment, "metadata", "generation"),
    )
    counts = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")]
    current = not isinstance(seen, int) or not isinstance(generation, int) or seen >= generation
    return bool(deployment) and current and all(count == wanted for count in counts)


_DEPLOYED: Final = {
    Stage.STORE: names.DB_MANAGER,
    Stage.WEBHOOK: names.WEBHOOK,
    Stage.SEARCH: names.SUGGESTION,
    Stage.CONTROLLER: names.CONTROLLER,
}


@dataclass(frozen=True, slots=True)
class _Facts:
    """The parts of each step, each true if it is in the cluster; None: this cannot be known."""

    seen: Seen
    config: str
    original: str
    images: Images

    def parts(self) -> dict[Stage, tuple[bool | None, ...]]:
        return {
            Stage.STORE: (
                self._serves(names.DB_MANAGER),
                self._rests(names.KATIB_DB_MANAGER),
                self._selected(),
            ),
            Stage.WEBHOOK: (
                self._serves(names.WEBHOOK),
                are_aside(self.seen.find(names.MUTATING), POD_ENTRIES),
                self._configured(Stage.WEBHOOK, Stage.SEARCH, Stage.CONTROLLER),
            ),
            Stage.SEARCH: (
                self._serves(names.SUGGESTION),
                self._configured(Stage.SEARCH, Stage.CONTROLLER),
            ),
            Stage.CONTROLLER: (
                self._serves(names.CONTROLLER),
                self._rests(names.KATIB_CONTROLLER),
                are_aside(self.seen.find(names.MUTATING), EXPERIMENT_ENTRIES),
                are_aside(self.seen.find(names.VALIDATING), EXPERIMENT_ENTRIES),
                self._configured(Stage.CONTROLLER),
            ),
        }

    def deployed(self, stage: Stage) -> bool:
        """Return whether the Deployment of a step exists, ready or not."""
        return bool(self.seen.deployment(_DEPLOYED[stage]))

    def _serves(self, name: str) -> bool:
        deployment = self.seen.deployment(name)
        return is_ready(deployment) and replicas_of(deployment) > 0

    def _rests(self, name: str) -> bool:
        return replicas_of(self.seen.deployment(name)) == 0

    def _selected(self) -> bool:
        service = self.seen.find(names.service(self.seen.namespace))
        return mapping_at(service, "spec", "selector") == OWN_SELECTOR

    def _configured(self, *stages: Stage) -> bool | None:
        if is_edited(self.config, self.original, self.images):
            return None
        return any(is_at(self.config, self.original, one, self.images) for one in stages)


def _has_ended(experiment: JsonObject) -> bool:
    conditions = mappings_at(experiment, "status", "conditions")
    return any(one.get("type") in _ENDED and one.get("status") == "True" for one in conditions)


def _named(experiment: JsonObject) -> str:
    namespace = text_at(experiment, "metadata", "namespace")
    return f"{namespace}/{text_at(experiment, 'metadata', 'name')}"


def _tag(controller: JsonObject) -> str:
    containers = mappings_at(controller, "spec", "template", "spec", "containers")
    image = text_at(containers[0], "image") if containers else ""
    name = image.partition("@")[0].rpartition("/")[2]
    return name.partition(":")[2] or "unknown"


def _database(container: JsonObject) -> str:
    variables = mappings_at(container, "env")
    named = next((text_at(one, "value") for one in variables if one.get("name") == "DB_NAME"), "")
    if named not in _DATABASES:
        raise SetupError(
            f"the Deployment {names.KATIB_DB_MANAGER} has DB_NAME={named!r}; trialwatch takes over"
            f" the databases {' and '.join(_DATABASES)}: set the variable DB_NAME there"
        )
    return _DATABASES[named]
