"""YAML text -> JSON, as `kubectl` reads it, and safe on text from anyone.

The same file must mean the same here and in a cluster, so plain scalars are told apart by the
rules of Kubernetes' YAML reader (`yamlscalars`), and keys become strings.

Bounds: 3 MiB of text (what the Kubernetes API takes in one request), 100 levels, 100,000 values
when all aliases are written out, which is what stops an alias bomb. Only the tags that JSON
knows are taken; no tag ever makes an object of a class.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
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
    """PyYAML's reader with nothing but the scanner and parser of it in use."""

    yaml_implicit_resolvers: ClassVar[Resolvers] = {}


resolve_as_kubernetes(_Loader)

_TRUE = {"true", "y", "yes", "on"}
_FALSE = {"false", "n", "no", "off"}


def load_objects(text: str, fill: Callable[[str], str] | None = None) -> list[JsonObject]:
    """Read every document of a YAML (or JSON) text; empty ones are passed over.

    `fill` is applied to each key and value when the text has been parsed, so what it puts there
    cannot change the document's shape; a value without quotes is then a number, true, false or
    null where it looks like one, as it would if it had stood in the text.

    Raises SpecError, whose fault has the line as its path, where the text is no YAML, is too
    large, has a key twice, or holds a document that is not a mapping.
    """
    _check_size(text)
    try:
        _check_depth(text)
        nodes = list(yaml.compose_all(text, Loader=_Loader))
    except yaml.YAMLError as error:
        raise SpecError((_syntax_fault(error, text),)) from None
    documents: list[JsonObject] = []
    for node in nodes:
        _check_aliases(node)
        if fill is not None:
            _fill(node, fill)
        value = _value(node)
        if isinstance(value, Mapping):
            documents.append(value)
        elif value is not None:
            raise _error(node, f"{shown(value)} is no object; begin with `apiVersion:`")
    return documents


def _check_size(text: str) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise SpecError((Fault(f"line {line}", "is not valid Unicode; write it anew"),)) from None
    if size > MAX_BYTES:
        why = f"the text has {size} bytes, more than the {MAX_BYTES} that Kubernetes would take"
        raise SpecError((Fault("document", f"{why}; move data into a ConfigMap or a volume"),))


def _check_depth(text: str) -> None:
    """Look at the nesting before anything recurses over it."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            path = f"line {event.start_mark.line + 1}" if event.start_mark else "document"
            raise SpecError((Fault(path, f"is nested more than {MAX_DEPTH} levels deep"),))


def _check_aliases(root: yaml.Node) -> None:
    """Measure the document as it is with all aliases written out, without writing them out."""
    size = _measure(root, {})
    if size.values > MAX_VALUES:
        why = f"the document has more than {MAX_VALUES} values with its aliases written out"
        raise _error(root, f"{why}; use fewer aliases")


class _Size(NamedTuple):
    values: int
    levels: int


def _measure(node: yaml.Node, known: dict[int, _Size | None]) -> _Size:
    """Measure a node once; None stands for one that is being measured.

    An alias always names something earlier, which is known by then, so this recurses no deeper
    than the text itself is nested.
    """
    if id(node) in known:
        size = known[id(node)]
        if size is None:
            raise _error(node, "is an alias of something that it is itself a part of")
        return size
    known[id(node)] = None
    sizes = [_measure(part, known) for part in _parts(node)]
    size = _Size(1 + sum(s.values for s in sizes), 1 + max((s.levels for s in sizes), default=0))
    if size.levels > MAX_DEPTH:
        raise _error(node, f"is nested more than {MAX_DEPTH} levels deep through its aliases")
    known[id(node)] = size
    return size


def _parts(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value


def _fill(root: yaml.Node, fill: Callable[[str], str]) -> None:
    """Fill each scalar in its place, once, be it known under many aliases."""
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
    """Fill a scalar; `.inf` and `<<`, which JSON has not, are then the texts that they are."""
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
    raise _error(node, f"the tag {shown(node.tag)} is not known to Kubernetes; delete it")


def _mapping(node: yaml.MappingNode) -> dict[str, Json]:
    """Make a mapping; what comes by a merge key (`<<`) stands behind what is written here."""
    merged: dict[str, Json] = {}
    own: dict[str, Json] = {}
    for key, value in node.value:
        if key.tag == _MERGE:
            merged = _merged(value) | merged
            continue
        name = _key(key)
        if name in own:
            raise _error(key, f"the key {shown(name)} is there twice; delete one")
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
            raise _error(node, f"the tag {shown(node.tag)} does not fit {shown(text)}; delete it")


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
        raise _error(node, f"JSON has no number {shown(node.value)}; write a finite one")
    return number


def _whole(digits: str) -> int | None:
    """Give the number where it fits into 64 bits; a larger one is a float to Kubernetes."""
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
    remedy = "look at the indent and quotes around it"
    if mark and text[mark.index : mark.index + 1] == "\t":
        problem, remedy = "there is a tab", "write blanks in its place"
    return Fault(path, f"is not valid YAML: {problem}; {remedy}")


def _error(node: yaml.Node, message: str) -> SpecError:
    mark = node.start_mark
    return SpecError((Fault(f"line {mark.line + 1}, column {mark.column + 1}", message),))
