"""The settings of a program, one row each: the row makes the flag, its help, value and default.

A program's `Settings` is a frozen dataclass. Each field is made by one of these:

| maker | the field's value |
|---|---|
| `setting` | the flag's value, else the default |
| `from_environment` | the flag's value if the setting has a flag, else what the environment says |
| `part` | a dataclass of its own; each of its rows replaces one of its fields |

`settings_of` reads a command line; `flags_of` and `variable_flags` are what `--help` shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, Field, dataclass, field, fields, replace
from typing import Any, ClassVar, Final, Generic, Protocol, TypeVar, cast

from api.errors import UserError
from api.goflags import Flag, read_flags
from serving.flag_values import Kind

T = TypeVar("T")
D = TypeVar("D")

_SOURCE: Final = "serving.settings"


class Dataclass(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


S = TypeVar("S", bound=Dataclass)
Texts = Mapping[str, str]
"""The text of each flag that was given, by the flag's name."""


@dataclass(frozen=True, slots=True)
class Row(Generic[T]):
    """One flag: its name, its kind of value and a sentence on it."""

    name: str
    kind: Kind[T]
    sentence: str
    _: KW_ONLY
    default: str = ""
    """The default in words, for a default that no value says."""
    alias: str = ""
    """Katib's name of the same flag."""

    def text_in(self, texts: Texts) -> str | None:
        """Return the text that was given, else None; the flag's own name wins over its alias."""
        return texts.get(self.name, texts.get(self.alias))

    def read(self, text: str) -> T:
        """Return the value.

        Raises:
            UserError: the text is not a value of this kind; the flag is named.
        """
        try:
            return self.kind.read(text)
        except UserError as error:
            raise UserError(f"{self.name}: {error}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Documented:
    """One flag as documents show it."""

    flag: Flag
    alias: str
    default: str
    """Empty: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One environment variable, for the help text and the documents."""

    name: str
    sentence: str
    default: str

    def of(self, environ: Mapping[str, str]) -> str:
        """Return its value; the default if it is empty or not set."""
        return environ.get(self.name) or self.default


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """Where the value of one field comes from."""

    read: Callable[[Texts, Mapping[str, str]], object]
    rows: tuple[tuple[Row[Any], object], ...]
    """Each row with its default."""


def setting(row: Row[T], default: D) -> T | D:
    """Make a field whose value is that of a flag, else the default."""

    def read(texts: Texts, _: Mapping[str, str]) -> T | D:
        text = row.text_in(texts)
        return default if text is None else row.read(text)

    source = _Source(read=read, rows=((row, default),))
    return cast("T | D", field(default=default, metadata={_SOURCE: source}))


def from_environment(value_of: Callable[[Mapping[str, str]], T], row: Row[T] | None = None) -> T:
    """Make a field whose value is that of a flag, else what the environment's variables mean."""

    def read(texts: Texts, environ: Mapping[str, str]) -> T:
        text = row.text_in(texts) if row else None
        value = row.read(text) if row and text is not None else None
        return value or value_of(environ)

    source = _Source(read=read, rows=((row, value_of({})),) if row else ())
    return field(default_factory=lambda: value_of({}), metadata={_SOURCE: source})


def part(default: S, **rows: Row[Any]) -> S:
    """Make a field that is a dataclass itself; each row is the flag of the field of that name."""

    def read(texts: Texts, _: Mapping[str, str]) -> S:
        given = {name: row.text_in(texts) for name, row in rows.items()}
        values = {name: rows[name].read(text) for name, text in given.items() if text is not None}
        return replace(default, **values)

    defaults = tuple((row, getattr(default, name)) for name, row in rows.items())
    source = _Source(read=read, rows=defaults)
    return field(default=default, metadata={_SOURCE: source})


def settings_of(kind: type[S], argv: Sequence[str], environ: Mapping[str, str]) -> S:
    """Read a command line and the environment; a flag that is given twice counts by its last value.

    Raises:
        UserError: a flag is unknown, or its value is not of the flag's kind.
        SetupError: an environment variable cannot be used.
    """
    texts = {flag.name: text for flag, text in read_flags(argv, flags_of(kind))}
    sources = {item.name: _source(item.metadata) for item in fields(kind)}
    return kind(**{name: source.read(texts, environ) for name, source in sources.items()})


def documented(kind: type[S]) -> Iterator[Documented]:
    """Yield each flag of a `Settings`, in the order of its fields."""
    for item in fields(kind):
        for row, default in _source(item.metadata).rows:
            flag = Flag(name=row.name, value=row.kind.placeholder, sentence=row.sentence)
            shown = row.default or row.kind.show(default)
            yield Documented(flag=flag, alias=row.alias, default=shown)


def flags_of(kind: type[S]) -> list[Flag]:
    """Return all flags of a `Settings` for parser and help text, aliases included."""
    flags = []
    for entry in documented(kind):
        flag = entry.flag
        sentence = f"{flag.sentence} Default: {entry.default}." if entry.default else flag.sentence
        flags.append(Flag(name=flag.name, value=flag.value, sentence=sentence))
        if entry.alias:
            words = f"Katib's name of `{flag.name}`."
            flags.append(Flag(name=entry.alias, value=flag.value, sentence=words))
    return flags


def variable_flags(variables: Iterable[Variable]) -> list[Flag]:
    """Return environment variables in the form of a help text."""
    return [
        Flag(name=item.name, sentence=f"{item.sentence} Default: {item.default or 'empty'}.")
        for item in variables
    ]


def _source(metadata: Mapping[Any, Any]) -> _Source:
    source: _Source = metadata[_SOURCE]
    return source
