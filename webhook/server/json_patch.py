"""The difference between two JSON documents as an RFC 6902 patch.

trialwatch has its own code for it because the common library (`jsonpatch`) looks for moved values,
and makes patches that cannot be applied (its issues 124, 138, 160 and 179). `mutate` copies only
what it changes, so an unchanged part is the same object here. The work is in proportion to the
change, and never descends into unchanged parts, however deep they are nested.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import count

from api.types import Json, JsonObject

_LONGEST = 256
"""The most list items that are compared by name: the time grows with their square."""


def patch_between(sent: Json, wanted: Json) -> list[JsonObject]:
    """Return the operations that turn `sent` into `wanted`: `add`, `remove`, `replace`."""
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
    """Compare two lists, without the equal items at their beginnings and ends.

    The other items are compared by name: containers, volumes, variables. A list whose items have no
    names, such as a command, is replaced as a whole, and so is a list that is too long to compare.
    Where `mutate` made an equal copy of an object, the patch may replace it by the same value.
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
        # All items before this one are already in their final state: the new list's indices hold.
        for _ in range(first, last):
            yield {"op": "remove", "path": f"{path}/{head + start}"}
        for i in range(start, end):
            yield {"op": "add", "path": f"{path}/{head + i}", "value": between[1][i]}


def _same(old: Json, new: Json) -> bool:
    """Return whether two items are identical; equal but distinct objects count as different."""
    if old is new:
        return True
    plain = not isinstance(old, Mapping | list | tuple)
    return plain and type(old) is type(new) and old == new


def _names(items: Sequence[Json]) -> list[str]:
    """Return the items' names; "" for an item without one."""
    names = [item.get("name") if isinstance(item, Mapping) else None for item in items]
    return [name if isinstance(name, str) else "" for name in names]


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
