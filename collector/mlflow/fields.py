"""Reads the fields of a request: of its JSON body, or of its query."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from api.faults import quoted
from api.types import Json
from collector.mlflow.refusals import invalid

LONGEST_NAME = 250
"""Characters of a key or a name, as in MLflow."""
LONGEST_TEXT = 8_000
"""Characters of a value: MLflow takes 6,000 for a param, and 8,000 for a tag."""
MOST_MESSAGES = 1_000
"""Metrics, params or tags of one request, as in MLflow."""
_INT64 = 1 << 63
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_NOT_FINITE = {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}
"""How the JSON of protocol buffers writes the doubles that JSON does not have."""


class Fields:
    """The fields of one message; each error names the field as MLflow's API does."""

    def __init__(self, values: Mapping[str, Json], prefix: str = "") -> None:
        """Take the message; `prefix` stands before each name in an error."""
        self._values, self._prefix = values, prefix

    def text(self, name: str, *, longest: int = LONGEST_NAME) -> str:
        """Return a text that must be given and not empty."""
        text = self.optional_text(name, longest=longest)
        if not text:
            raise invalid(f"Missing value for required parameter '{self._prefix}{name}'")
        return text

    def optional_text(self, name: str, *, longest: int = LONGEST_NAME) -> str:
        """Return a text; empty if it is not given."""
        value = self._values.get(name)
        if value is None:
            return ""
        if isinstance(value, bool | int | float):
            return str(value)
        if not isinstance(value, str):
            raise self._wrong(name, value, "write a text")
        if len(value) > longest:
            raise invalid(
                f"'{self._prefix}{name}' has {len(value)} characters: {longest} are allowed"
            )
        return value

    def integer(self, name: str, default: int) -> int:
        """Return an integer of 64 bits, given as a number or as text."""
        value = self._values.get(name)
        if value is None:
            return default
        if isinstance(value, str) and _INTEGER.fullmatch(value):
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not -_INT64 <= value < _INT64:
            raise self._wrong(name, value, "write an integer of at most 64 bits")
        return value

    def double(self, name: str) -> str:
        """Return a number as the shortest text that means the same double."""
        value = self._values.get(name)
        if value is None:
            raise invalid(f"Missing value for required parameter '{self._prefix}{name}'")
        if isinstance(value, str):
            value = _double(value)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self._wrong(name, self._values[name], "write a number")
        try:
            return repr(float(value))
        except OverflowError:
            raise self._wrong(name, value, "write a number that a double can hold") from None

    def messages(self, name: str) -> list[Fields]:
        """Return the messages of a list; empty if it is not given."""
        values = self._values.get(name)
        if values is None:
            return []
        if not isinstance(values, list):
            raise self._wrong(name, values, "write a list")
        if len(values) > MOST_MESSAGES:
            raise invalid(
                f"'{self._prefix}{name}' has {len(values)} elements: {MOST_MESSAGES} are allowed"
            )
        found = []
        for index, value in enumerate(values):
            place = f"{name}[{index}]"
            if not isinstance(value, dict):
                raise self._wrong(place, value, "write an object")
            found.append(Fields(value, f"{self._prefix}{place}."))
        return found

    def texts(self, name: str) -> list[str]:
        """Return the texts of a list; empty if it is not given."""
        values = self._values.get(name)
        if values is None:
            return []
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise self._wrong(name, values, "write a list of texts")
        return [str(value) for value in values]

    def pairs(self, name: str) -> dict[str, str]:
        """Return a list of messages with `key` and `value`."""
        return {
            pair.text("key"): pair.optional_text("value", longest=LONGEST_TEXT)
            for pair in self.messages(name)
        }

    def _wrong(self, name: str, value: Json, remedy: str) -> Exception:
        shown = json.dumps(value)[:60]
        return invalid(
            f"Invalid value {quoted(shown)} for parameter '{self._prefix}{name}': {remedy}"
        )


def fields_of(query: Mapping[str, str], body: bytes) -> Fields:
    """Return the fields of a request; those of the body count if it has one."""
    if not body.strip():
        return Fields(dict(query))
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise invalid("the body of the request is not JSON: send a JSON object") from None
    if not isinstance(document, dict):
        raise invalid("the body of the request is not a JSON object: send one")
    return Fields(document)


def _double(text: str) -> float | None:
    try:
        return float(_NOT_FINITE.get(text, text))
    except ValueError:
        return None
