"""Carries a plan out: returns the changed pod, and leaves the given pod unchanged.

Parts are found by name and replaced in place, so a second call changes nothing. Additions by others
stay in the pod, in the trainer and in the collector, such as the API server's defaults and the
volume of its token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from api.documents import mapping_at, mappings_at
from api.types import Json, JsonObject
from webhook.model.plan import Plan, SidecarPosition
from webhook.pods.wrapping import command_of, wrapped

_By = Callable[[JsonObject], Json]


def mutate(pod: JsonObject, plan: Plan) -> JsonObject:
    """Carry a plan out. Parts that do not change are shared with the given pod, not copied.

    Raises:
        ValueError: the plan is for a different pod, or still needs the command of an image.
    """
    if plan.image_lookup is not None:
        raise ValueError(f"look up the command of image {plan.image_lookup.image} first")
    metadata = mapping_at(pod, "metadata")
    labels = {**mapping_at(metadata, "labels"), **plan.labels}
    annotations = {
        **plan.annotations,
        **mapping_at(metadata, "annotations"),
        **plan.own_annotations,
    }
    metadata = _with(metadata, labels=labels, annotations=annotations)
    spec = mapping_at(pod, "spec")
    return _with(pod, metadata=metadata, spec=_spec(spec, plan) if plan.trainer else spec)


def _spec(spec: JsonObject, plan: Plan) -> JsonObject:
    containers = mappings_at(spec, "containers")
    inits = mappings_at(spec, "initContainers")
    trainer = [container.get("name") for container in containers].index(plan.trainer)
    containers[trainer] = _trainer(containers[trainer], plan)
    volumes = _joined(mappings_at(spec, "volumes"), plan.volumes, _name)
    if plan.collector is not None:
        containers, inits = _placed(plan.collector, plan.position, containers, inits)
    if plan.custom is not None:
        containers, inits = _placed(plan.custom, SidecarPosition.LAST, containers, inits)
    return _with(spec, containers=containers, initContainers=inits, volumes=volumes)


def _trainer(container: JsonObject, plan: Plan) -> JsonObject:
    """Change the trainer's command, environment and mounts; its args never change."""
    env = mappings_at(container, "env")
    for variable in plan.env:
        env = _replaced(env, variable, _name)
    env = _joined(env, plan.env_defaults, _name)
    mounts = mappings_at(container, "volumeMounts")
    for mount in plan.mounts:
        mounts = _replaced(mounts, mount, _path)
    command = command_of(container) if plan.command is None else plan.command
    return _with(container, command=[*wrapped(command, plan.wrapper)], env=env, volumeMounts=mounts)


def _placed(
    collector: JsonObject,
    position: SidecarPosition,
    containers: list[JsonObject],
    inits: list[JsonObject],
) -> tuple[list[JsonObject], list[JsonObject]]:
    """Put the collector into its position, and remove it from any other."""
    existing = [c for c in (*inits, *containers) if c.get("name") == collector["name"]]
    containers = [c for c in containers if c.get("name") != collector["name"]]
    inits = [c for c in inits if c.get("name") != collector["name"]]
    # Additions by others stay. Of two containers of this name, the first is the webhook's.
    collector = _merged(existing[0], collector) if existing else collector
    match position:
        case SidecarPosition.NATIVE:
            # The kubelet stops native sidecars in reverse order. The last init container stops
            # first, so network proxies still run while the collector delivers.
            return containers, [*inits, collector]
        case SidecarPosition.FIRST:
            return [collector, *containers], inits
        case SidecarPosition.LAST:
            return [*containers, collector], inits


def _merged(existing: JsonObject, own: JsonObject) -> JsonObject:
    """Merge the planned container into the existing one; items that others added to lists stay."""
    lists: dict[str, Json] = {
        field: [*mappings_at(own, field), *_others(existing.get(field), own.get(field), by)]
        for field, by in (("env", _name), ("volumeMounts", _path))
        if field in existing or field in own
    }
    # `restartPolicy` makes an init container a native sidecar, and an ordinary one invalid.
    kept = {name: value for name, value in existing.items() if name != "restartPolicy"}
    return {**kept, **own, **lists}


def _others(existing: Json, own: Json, by: _By) -> list[JsonObject]:
    known = [by(item) for item in mappings_at(own)]
    return [item for item in mappings_at(existing) if by(item) not in known]


def _joined(existing: list[JsonObject], added: Iterable[JsonObject], by: _By) -> list[JsonObject]:
    known = [by(item) for item in existing]
    return [*existing, *(item for item in added if by(item) not in known)]


def _replaced(existing: list[JsonObject], item: JsonObject, by: _By) -> list[JsonObject]:
    """Set one item of a list: replace it in place, or append it.

    An item that already has all of the same fields stays: the API server adds its defaults to it.
    """
    if all(by(old) != by(item) for old in existing):
        return [*existing, item]
    return [old if by(old) != by(item) or _covers(old, item) else item for old in existing]


def _covers(existing: Json, own: Json) -> bool:
    if isinstance(existing, Mapping) and isinstance(own, Mapping):
        return all(name in existing and _covers(existing[name], part) for name, part in own.items())
    return existing == own


def _with(parent: JsonObject, **parts: Mapping[str, Json] | Sequence[Json]) -> JsonObject:
    """Return the object with these parts; itself if nothing changes. Adds no empty part."""
    changed = {
        name: part
        for name, part in parts.items()
        if not _is(parent.get(name), part) and (part or parent.get(name))
    }
    return {**parent, **changed} if changed else parent


def _is(existing: Json, part: Mapping[str, Json] | Sequence[Json]) -> bool:
    """Return whether two parts have the same items, by identity: comparing values may recurse."""
    if isinstance(part, Mapping):
        return (
            isinstance(existing, Mapping)
            and list(existing) == list(part)
            and all(existing[name] is part[name] for name in part)
        )
    if not isinstance(existing, list) or len(existing) != len(part):
        return False
    pairs = zip(existing, part, strict=True)
    return all(old is new or (isinstance(new, str) and old == new) for old, new in pairs)


def _name(item: JsonObject) -> Json:
    return item.get("name")


def _path(item: JsonObject) -> Json:
    return item.get("mountPath")
