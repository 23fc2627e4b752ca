"""The difference between two JSON documents as an RFC 6902 patch.

Of our own, because the one library for it in use (`jsonpatch`) looks for values that were moved,
and makes patches that cannot be applied (its issues 124, 138, 160 and 179). What stayed the same is
the same object here, since `mutate` copies only what it changes; so this costs what the change
costs, and never descends into what a stranger has nested a thousand levels deep.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import count

from api.types import Json, JsonObject

_LONGEST = 256
"""Items that are searched for what was moved; the time for it grows with their square."""


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
    """Compare what lies between the items that both lists begin and end with.

    There, containers, volumes and variables are known by their names. Any other list, such as a
    command, is replaced as a whole, as it is read; and so is one that is too long to search.
    So the patch may say again what was there, where `mutate` made an equal object anew.
    """
    shortest = min(len(old), len(new))
    head = next((i for i in range(shortest) if not _same(old[i], new[i])), shortest)
    rest = shortest - head
    tail = next((i for i in range(rest) if not _same(old[-1 - i], new[-1 - i])), rest)
    if head == len(old) == len(new):
        return
    between = old[head : len(old) - tail], new[head : len(new) - tail]
    names = _names(between[0]), _names(between[1])
    if len(names[0]) + len(names[1]) > _LONGEST or not all((*names[0], *names[1])):
        yield {"op": "replace", "path": path, "value": new}
        return
    steps = SequenceMatcher(None, names[0], names[1], autojunk=False).get_opcodes()
    for step, first, last, start, end in steps:
        if step == "equal":
            for was, now, i in zip(between[0][first:last], between[1][start:], count(start)):
                yield from _difference(was, now, f"{path}/{head + i}")
            continue
        # All before this place is as it will be, so the new list's indices hold.
        for _ in range(first, last):
            yield {"op": "remove", "path": f"{path}/{head + start}"}
        for i in range(start, end):
            yield {"op": "add", "path": f"{path}/{head + i}", "value": between[1][i]}


def _same(old: Json, new: Json) -> bool:
    """Tell whether two items are the same one; two equal objects are as good as different."""
    plain = not isinstance(old, Mapping | list | tuple)
    return old is new or (plain and type(old) is type(new) and old == new)


def _names(items: Sequence[Json]) -> list[str]:
    """Return the items' names, "" for one that has none."""
    names = [item.get("name") if isinstance(item, Mapping) else None for item in items]
    return [name if isinstance(name, str) else "" for name in names]


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
