"""The difference between two JSON documents as an RFC 6902 patch.

Of our own, because the one library for it in use (`jsonpatch`) looks for values that were moved,
and makes patches that cannot be applied (its issues 124, 138, 160 and 179). What stayed the same is
the same object here, since `mutate` copies only what it changes; so this costs what the change
costs, and never descends into what a stranger has nested a thousand levels deep.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from api.types import Json, JsonObject


def patch_between(sent: Json, wanted: Json) -> list[JsonObject]:
    """Return the operations (`add`, `remove`, `replace`) that make `wanted` of `sent`, in order."""
    return list(_difference(sent, wanted, ""))


def _difference(old: Json, new: Json, path: str) -> Iterator[JsonObject]:
    if old is new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _of_objects(old, new, path)
    elif isinstance(old, list | tuple) and isinstance(new, list | tuple):
        yield from _of_lists(old, new, path)
    elif type(old) is not type(new) or old != new:
        yield {"op": "replace", "path": path, "value": new}


def _of_objects(old: JsonObject, new: JsonObject, path: str) -> Iterator[JsonObject]:
    for name, value in old.items():
        place = f"{path}/{_escaped(name)}"
        if name in new:
            yield from _difference(value, new[name], place)
        else:
            yield {"op": "remove", "path": place}
    for name, value in new.items():
        if name not in old:
            yield {"op": "add", "path": f"{path}/{_escaped(name)}", "value": value}


def _of_lists(old: Sequence[Json], new: Sequence[Json], path: str) -> Iterator[JsonObject]:
    """Keep what is the same at both ends; between, pair by place, then add or remove the rest.

    A list of words, such as a command, is replaced as a whole: it is read as a whole, too.
    """
    if not any(isinstance(item, Mapping | list | tuple) for item in (*old, *new)):
        if [*old] != [*new]:
            yield {"op": "replace", "path": path, "value": new}
        return
    shortest = min(len(old), len(new))
    head = 0
    while head < shortest and _same(old[head], new[head]):
        head += 1
    tail = 0
    while tail < shortest - head and _same(old[-1 - tail], new[-1 - tail]):
        tail += 1
    old_end, new_end = len(old) - tail, len(new) - tail
    paired = min(old_end, new_end)
    for i in range(head, paired):
        yield from _difference(old[i], new[i], f"{path}/{i}")
    for i in range(paired, new_end):
        yield {"op": "add", "path": f"{path}/{i}", "value": new[i]}
    for i in reversed(range(paired, old_end)):
        yield {"op": "remove", "path": f"{path}/{i}"}


def _same(old: Json, new: Json) -> bool:
    """Tell whether two items are the same, without a look into them where they are large."""
    if old is new:
        return True
    if isinstance(old, str) and isinstance(new, str):
        return old == new
    return not next(_difference(old, new, ""), None)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
