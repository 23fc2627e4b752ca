"""YAML text -> JSON, as `kubectl` reads it; safe for text from an untrusted source.

A file must have the same meaning here and in a cluster. So the types of plain scalars follow the
rules of Kubernetes' YAML reader (`yamlscalars`), and keys become strings.

Limits: 3 MiB of text (the most that the Kubernetes API accepts in one request), 100 levels, and
100,000 values. Aliases count as what they stand for, so the values and the texts of all documents
together stay within the same limits when the aliases are written out. Only the tags of JSON's types
are accepted; no tag creates an object of a Python class.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import ClassVar, NamedTuple

import yaml

from api.errors import Fault, SpecError
from api.faults import shown
from api.types import Json, JsonObject

from .yamlscalars import TAG, Resolvers, resolve_as_kubernetes

MAX_BYTES = 3 * 1024 * 1024
MAX_DEPTH = 100
MAX_VALUES = 100_000

_MERGE = TAG + "merge"
_UINT64_MAX = 2**64 - 1
_INT64_MIN = -(2**63)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """PyYAML's reader; only its scanner and parser are used."""

    yaml_implicit_resolvers: ClassVar[Resolvers] = {}


resolve_as_kubernetes(_Loader)

_TRUE = {"true", "y", "yes", "on"}
_FALSE = {"false", "n", "no", "off"}


def load_file(text: str, name: str) -> list[JsonObject]:
    """Read the text of a file with `load_objects`; faults begin with the file's name.

    Raises:
        SpecError: as `load_objects`.
    """
    try:
        return load_objects(text)
    except SpecError as error:
        faults = (replace(fault, path=f"{name}, {fault.path}") for fault in error.faults)
        raise SpecError(tuple(faults)) from None


def load_objects(
    text: str, fill: Callable[[str], str] | None = None, *, most_values: int = MAX_VALUES
) -> list[JsonObject]:
    """Read all documents of a YAML (or JSON) text; empty documents are omitted.

    `fill` is applied to each key and value after parsing, so the inserted text cannot change the
    document's shape. A filled value without quotes becomes a number, true, false or null if it
    looks like one, as if the text had contained it.

    Raises:
        SpecError: the text is not YAML, is too large, has more than `most_values` values, has a key
            twice, or contains a document that is not a mapping. The fault's path is the line.
    """
    _check_size(text)
    try:
        _check_events(text, most_values)
        nodes = list(yaml.compose_all(text, Loader=_Loader))
    except yaml.YAMLError as error:
        raise SpecError((_syntax_fault(error, text),)) from None
    room = _Size(values=most_values, levels=MAX_DEPTH, characters=MAX_BYTES)
    documents: list[JsonObject] = []
    for node in nodes:
        if fill is not None:
            _fill(node, fill)
        room = _check_aliases(node, room, most_values)
        value = _value(node)
        if isinstance(value, Mapping):
            documents.append(value)
        elif value is not None:
            raise _error(node, f"{shown(value)} is not an object; begin with `apiVersion:`")
    return documents


def _check_size(text: str) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise SpecError((Fault(f"line {line}", "is not valid Unicode; write it again"),)) from None
    if size > MAX_BYTES:
        why = f"the text has {size} bytes, and Kubernetes accepts at most {MAX_BYTES}"
        raise SpecError((Fault("document", f"{why}; move data into a ConfigMap or a volume"),))


def _check_events(text: str, most_values: int) -> None:
    """Check the nesting and the number of values before nodes are made of them."""
    depth = values = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.NodeEvent):
            values += 1
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH or values > most_values:
            path = f"line {event.start_mark.line + 1}" if event.start_mark else "document"
            why = f"is nested more than {MAX_DEPTH} levels deep"
            if values > most_values:
                why = f"is behind the first {most_values} values and keys; write fewer"
            raise SpecError((Fault(path, why),))


class _Size(NamedTuple):
    """A document as if all aliases were written out."""

    values: int
    levels: int
    characters: int


def _check_aliases(root: yaml.Node, room: _Size, most_values: int) -> _Size:
    """Measure a document without writing its aliases out; return what is left of the room."""
    size = _measure(root, {})
    left = room._replace(
        values=room.values - size.values, characters=room.characters - size.characters
    )
    if left.values < 0:
        raise _too_large(root, f"{most_values} values")
    if left.characters < 0:
        raise _too_large(root, f"{MAX_BYTES} characters")
    return left


def _too_large(root: yaml.Node, limit: str) -> SpecError:
    why = f"the document has more than {limit} after its aliases are expanded"
    return _error(root, f"{why}; use fewer aliases")


def _measure(node: yaml.Node, known: dict[int, _Size | None]) -> _Size:
    """Measure each node once; `known` has None for a node whose measuring has not finished.

    An alias refers to an earlier node, which is measured already. So the recursion is only as
    deep as the nesting of the text.
    """
    if id(node) in known:
        size = known[id(node)]
        if size is None:
            raise _error(node, "is an alias of a value that contains the alias; remove the alias")
        return size
    known[id(node)] = None
    sizes = [_measure(part, known) for part in _parts(node)]
    size = _Size(
        values=1 + sum(part.values for part in sizes),
        levels=1 + max((part.levels for part in sizes), default=0),
        characters=sum(part.characters for part in sizes) + _length(node),
    )
    if size.levels > MAX_DEPTH:
        raise _error(node, f"is nested more than {MAX_DEPTH} levels deep through its aliases")
    known[id(node)] = size
    return size


def _length(node: yaml.Node) -> int:
    return len(node.value) if isinstance(node, yaml.ScalarNode) else 0


def _parts(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value


def _fill(root: yaml.Node, fill: Callable[[str], str]) -> None:
    """Fill each scalar in place, once, even if many aliases refer to it."""
    waiting, seen = [root], {id(root)}
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.ScalarNode):
            _fill_scalar(node, fill)
        for part in _parts(node):
            if id(part) not in seen:
                seen.add(id(part))
                waiting.append(part)


def _fill_scalar(node: yaml.ScalarNode, fill: Callable[[str], str]) -> None:
    """Fill a scalar; a result such as `.inf` or `<<`, which JSON does not have, stays a text."""
    text = fill(node.value)
    if text == node.value:
        return
    node.value = text
    if node.style or node.tag != TAG + "str":
        return
    node.tag = _Loader("").resolve(yaml.ScalarNode, text, (True, False))
    try:
        _scalar(node)
    except SpecError:
        node.tag = TAG + "str"
    if node.tag == TAG + "merge":
        node.tag = TAG + "str"


def _value(node: yaml.Node) -> Json:
    if isinstance(node, yaml.MappingNode) and node.tag == TAG + "map":
        return _mapping(node)
    if isinstance(node, yaml.SequenceNode) and node.tag == TAG + "seq":
        return [_value(item) for item in node.value]
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    raise _error(node, f"the tag {shown(node.tag)} is unknown to Kubernetes; delete it")


def _mapping(node: yaml.MappingNode) -> dict[str, Json]:
    """Make a mapping; its own keys take precedence over those of a merge key (`<<`)."""
    merged: dict[str, Json] = {}
    own: dict[str, Json] = {}
    for key, value in node.value:
        if key.tag == _MERGE:
            merged = _merged(value) | merged
            continue
        name = _key(key)
        if name in own:
            raise _error(key, f"the key {shown(name)} appears twice; delete one")
        own[name] = _value(value)
    return merged | own


def _merged(node: yaml.Node) -> dict[str, Json]:
    sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
    merged: dict[str, Json] = {}
    for source in sources:
        if not isinstance(source, yaml.MappingNode):
            raise _error(source, "`<<` needs a mapping, or a list of mappings")
        merged = _mapping(source) | merged
    return merged


def _key(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode) or node.tag == TAG + "null":
        raise _error(node, "a key must be a string; write it in quotes")
    return str(node.value)


def _scalar(node: yaml.ScalarNode) -> Json:
    text = str(node.value)
    match node.tag.removeprefix(TAG):
        case "str" | "merge":
            return text
        case "null":
            return None
        case "bool" if text.casefold() in _TRUE | _FALSE:
            return text.casefold() in _TRUE
        case "int" | "float":
            return _number(node, text.replace("_", ""))
        case _:
            raise _error(node, f"the tag {shown(node.tag)} does not match {shown(text)}; delete it")


def _number(node: yaml.ScalarNode, digits: str) -> int | float:
    if node.tag == TAG + "int":
        whole = _whole(digits)
        if whole is not None:
            return whole
    try:
        number = float(digits.replace(".inf", "inf"))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _error(node, f"JSON cannot hold the number {shown(node.value)}; write a finite one")
    return number


def _whole(digits: str) -> int | None:
    """Return the number if it fits into 64 bits; Kubernetes reads a larger one as a float."""
    unsigned = digits.lstrip("+-")
    octal = re.fullmatch(r"0[0-7]+", unsigned)
    try:
        number = int(unsigned, 8 if octal else 0)
    except ValueError:
        return None
    number = -number if digits.startswith("-") else number
    return number if _INT64_MIN <= number <= _UINT64_MAX else None


def _syntax_fault(error: yaml.YAMLError, text: str) -> Fault:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable"
    path = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "document"
    remedy = "check the indentation and the quotes near it"
    if mark and text[mark.index : mark.index + 1] == "\t":
        problem, remedy = "the line contains a tab", "replace it with spaces"
    return Fault(path, f"is not valid YAML: {problem}; {remedy}")


def _error(node: yaml.Node, message: str) -> SpecError:
    mark = node.start_mark
    return SpecError((Fault(f"line {mark.line + 1}, column {mark.column + 1}", message),))
