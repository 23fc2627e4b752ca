"""A pod and a plan in, the changed pod out; the pod that came in stays as it was.

Everything is found by its name and put into its place, so doing it twice is doing it once, and
whatever others have added in the meantime stays: to the pod, to the trainer, and to the collector
(the API server's own defaults and its token's volume are such additions).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from api.types import Json, JsonObject
from webhook.model.plan import Plan, SidecarPosition
from webhook.pods.wrapping import command_of, wrapped

_NOTHING: JsonObject = {}
_By = Callable[[JsonObject], Json]


def mutate(pod: JsonObject, plan: Plan) -> JsonObject:
    """Carry a plan out. What does not change is not copied, but shared with the pod given.

    Raises:
        ValueError: the plan is another pod's, or still waits for an image's command.
    """
    if plan.image_lookup is not None:
        raise ValueError(f"the command of image {plan.image_lookup.image} is still to be found out")
    metadata = _object(pod.get("metadata"))
    labels = {**_object(metadata.get("labels")), **plan.labels}
    annotations = {**plan.annotations, **_object(metadata.get("annotations"))}
    metadata = _with(metadata, labels=labels, annotations=annotations)
    spec = _object(pod.get("spec"))
    return _with(pod, metadata=metadata, spec=_spec(spec, plan) if plan.trainer else spec)


def _spec(spec: JsonObject, plan: Plan) -> JsonObject:
    containers = _objects(spec.get("containers"))
    inits = _objects(spec.get("initContainers"))
    trainer = [one.get("name") for one in containers].index(plan.trainer)
    containers[trainer] = _trainer(containers[trainer], plan)
    volumes = _joined(_objects(spec.get("volumes")), plan.volumes, _name)
    if plan.collector is not None:
        containers, inits = _placed(plan.collector, plan.position, containers, inits)
    return _with(spec, containers=containers, initContainers=inits, volumes=volumes)


def _trainer(container: JsonObject, plan: Plan) -> JsonObject:
    """Change the trainer's container: its command, environment and volumes, never its args."""
    env = _objects(container.get("env"))
    for variable in plan.env:
        env = _replaced(env, variable, _name)
    env = _joined(env, plan.env_defaults, _name)
    mounts = _objects(container.get("volumeMounts"))
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
    """Put the collector into its place, out of any other."""
    there = [one for one in (*inits, *containers) if one.get("name") == collector["name"]]
    containers = [one for one in containers if one.get("name") != collector["name"]]
    inits = [one for one in inits if one.get("name") != collector["name"]]
    # What others have added to it stays; where it stands twice, somebody else's is the copy.
    collector = _joint(there[0], collector) if there else collector
    match position:
        case SidecarPosition.NATIVE:
            # The last of all is the last of the native ones. SIGTERM reaches those in reverse
            # order, so a network proxy is still there while the collector delivers.
            return containers, [*inits, collector]
        case SidecarPosition.FIRST:
            return [collector, *containers], inits
        case SidecarPosition.LAST:
            return [*containers, collector], inits


def _joint(there: JsonObject, ours: JsonObject) -> JsonObject:
    """Lay our container over the one that is there; of lists by name, others' items stay."""
    lists: dict[str, Json] = {
        field: [*_objects(ours.get(field)), *_others(there.get(field), ours.get(field), by)]
        for field, by in (("env", _name), ("volumeMounts", _path))
        if field in there or field in ours
    }
    # `restartPolicy` makes an init container a native sidecar, and an ordinary one invalid.
    kept = {name: value for name, value in there.items() if name != "restartPolicy"}
    return {**kept, **ours, **lists}


def _others(there: Json, ours: Json, by: _By) -> list[JsonObject]:
    known = [by(item) for item in _objects(ours)]
    return [item for item in _objects(there) if by(item) not in known]


def _joined(there: list[JsonObject], added: Iterable[JsonObject], by: _By) -> list[JsonObject]:
    known = [by(item) for item in there]
    return [*there, *(item for item in added if by(item) not in known)]


def _replaced(there: list[JsonObject], item: JsonObject, by: _By) -> list[JsonObject]:
    """Set one item of a list: in its place where it is there, else at the end.

    One that says the same and more is left alone; the API server adds its defaults.
    """
    if all(by(one) != by(item) for one in there):
        return [*there, item]
    return [one if by(one) != by(item) or _covers(one, item) else item for one in there]


def _covers(there: Json, ours: Json) -> bool:
    if isinstance(there, Mapping) and isinstance(ours, Mapping):
        return all(name in there and _covers(there[name], part) for name, part in ours.items())
    return there == ours


def _with(parent: JsonObject, **parts: Mapping[str, Json] | Sequence[Json]) -> JsonObject:
    """Return the object with these parts, itself where nothing changes; adds no empty part."""
    changed = {
        name: part
        for name, part in parts.items()
        if not _is(parent.get(name), part) and (part or parent.get(name))
    }
    return {**parent, **changed} if changed else parent


def _is(there: Json, part: Mapping[str, Json] | Sequence[Json]) -> bool:
    """Tell whether a part is there already, by its items' identity: equality may go very deep."""
    if isinstance(part, Mapping):
        return (
            isinstance(there, Mapping)
            and list(there) == list(part)
            and all(there[name] is part[name] for name in part)
        )
    if not isinstance(there, list) or len(there) != len(part):
        return False
    pairs = zip(there, part, strict=True)
    return all(old is new or (isinstance(new, str) and old == new) for old, new in pairs)


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, Mapping) else _NOTHING


def _objects(value: Json) -> list[JsonObject]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _name(item: JsonObject) -> Json:
    return item.get("name")


def _path(item: JsonObject) -> Json:
    return item.get("mountPath")
