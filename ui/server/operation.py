"""An operation of the API: its route, its parameters and its types, in one value."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from aiohttp import web

from api.errors import UserError
from api.faults import quoted
from api.types import JsonObject

PREFIX: Final = "/api/v1"
_IN_PATH: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of the query: a text, or a whole number within bounds."""

    name: str
    text: str
    """What it means, for the document."""
    low: int | None = None
    """None for both bounds means a text."""
    high: int | None = None
    default: int | str | None = None
    is_required: bool = False

    @property
    def schema(self) -> JsonObject:
        """The JSON schema of the parameter."""
        schema: dict[str, Any] = {"type": "string"}
        if self.low is not None:
            schema = {"type": "integer", "minimum": self.low, "maximum": self.high}
        return schema if self.default is None else {**schema, "default": self.default}

    def read(self, query: Mapping[str, str]) -> int | str | None:
        """Return the value in a query.

        Raises:
            UserError: it is missing or out of bounds.
        """
        text = query.get(self.name)
        if text is None:
            if self.is_required:
                raise UserError(f"the parameter {self.name} is missing: add ?{self.name}=...")
            return self.default
        if self.low is None or self.high is None:
            return text
        number = int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else None
        if number is None or not self.low <= number <= self.high:
            raise UserError(
                f"{self.name}: {quoted(text)} is not a whole number from {self.low} to {self.high}"
            )
        return number


class Call:
    """One call of an operation: what its request says."""

    def __init__(self, request: web.Request, query: Mapping[str, int | str | None]) -> None:
        self.request, self._query = request, query

    def path(self, name: str) -> str:
        """Return a part of the path."""
        return self.request.match_info[name]

    def text(self, name: str) -> str:
        """Return a parameter that is a text; "" if it is not given."""
        return str(self._query[name] or "")

    def number(self, name: str) -> int | None:
        """Return a parameter that is a number; None if it is not given."""
        value = self._query[name]
        return value if isinstance(value, int) else None

    async def body(self, kind: type[Any]) -> Any:  # noqa: ANN401 - an object of `kind`
        """Return the body.

        Raises:
            UserError: it is not JSON, or not of this type.
        """
        try:
            return msgspec.json.decode(await self.request.read(), type=kind)
        except msgspec.MsgspecError as error:
            raise UserError(f"the body cannot be read: {error}") from None
        except UnicodeDecodeError:
            raise UserError("the body is not valid UTF-8") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation."""

    method: str
    path: str
    """Below `/api/v1`, with names in braces."""
    name: str
    """Its `operationId`."""
    summary: str
    answers: Any
    """The type of its answer; `str` is plain text of `media`."""
    handle: Callable[[Any, Call], Awaitable[Any]]
    """Takes the `Pages` and the call."""
    query: tuple[Parameter, ...] = ()
    body: type[Any] | None = None
    media: str = "application/json"

    @property
    def path_names(self) -> list[str]:
        """The names in the path."""
        return _IN_PATH.findall(self.path)

    def read(self, request: web.Request) -> Call:
        """Read the parameters of a request.

        Raises:
            UserError: one cannot be used.
        """
        return Call(request, {one.name: one.read(request.query) for one in self.query})


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a request has failed."""

    error: str
    """What is wrong with which value, and what to do."""
