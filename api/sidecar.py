"""The collector's command line: the only coupling of the webhook's image and the collector's.

The webhook writes it (`to_argv`), the collector reads it (`from_argv`), and Katib's own webhook
may write it too: its flags keep their names, their order and their meaning. Ours are long, all
optional, and say the mode, which is never inferred:

| flags | mode |
|---|---|
| none of ours | injected by Katib: pid and marker protocol |
| `--run-dir --source [--native]` | beside a launcher |
| `--run-dir --source file --native --unwrapped` | no launcher: SIGTERM is the trainer's end |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from enum import StrEnum
from typing import Any

from api import sidecar_flags as flags
from api.durations import LONGEST, parse_duration, render_duration
from api.errors import UserError
from api.goflags import Flag, parse_switch, read_flags, usage_of
from api.names import TERMINATION_LOG
from api.sidecar_values import (
    complaints_of_address,
    complaints_of_name,
    complaints_of_rule,
    read_choice,
    read_format,
    read_list,
    read_rule,
    write_rule,
)
from api.types import LogFormat, ObjectiveType, StopRule

_NONE = timedelta()


class Source(StrEnum):
    """Where the metrics of a run directory are: the launcher's segments, or a file of the user."""

    STDOUT = "stdout"
    FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorArgs:
    """What a collector is told.

    Raises:
        UserError: no command line could say it, or no collector could do it.
    """

    trial: str
    metrics: tuple[str, ...]
    """The objective's first."""
    objective_type: ObjectiveType = ObjectiveType.UNKNOWN
    db_manager: str
    path: str = ""
    filters: tuple[str, ...] = ()
    format: LogFormat | None = None
    wait_all: bool | None = None
    stop_rules: tuple[StopRule, ...] = ()
    early_stopping: str = ""
    poll_interval: timedelta = timedelta(seconds=1)
    timeout: timedelta = _NONE
    """Zero: none."""
    run_dir: str = ""
    source: Source | None = None
    native: bool = False
    unwrapped: bool = False
    echo: bool = True
    namespace: str = ""
    drain: timedelta = timedelta(seconds=300)
    termination_log: str = TERMINATION_LOG

    def __post_init__(self) -> None:
        complaint = next(_complaints(self), None)
        if complaint is not None:
            raise UserError(complaint)

    def to_argv(self) -> tuple[str, ...]:
        """Write the command line: Katib's flags in Katib's order, then ours where they are used."""
        return (*_words_of_katib(self), *_words_of_ours(self))


def from_argv(argv: Sequence[str]) -> CollectorArgs:
    """Read a command line, without the program's name. Of a flag given twice the last one counts.

    Raises:
        UserError: a flag is unknown, or its value is missing or wrong; names flag and value.
    """
    said: dict[str, Any] = {"trial": "", "metrics": (), "db_manager": ""}
    joined: tuple[str, ...] = ()
    single: list[str] = []
    rules: list[StopRule] = []
    for flag, text in read_flags(argv, flags.FLAGS):
        if flag is flags.FILTERS:  # Katib takes `a;;b` and `a;` without complaint
            joined = tuple(regex for regex in read_list(text) if regex)
        elif flag is flags.FILTER:
            single.append(text)
        elif flag is flags.STOP_RULE:
            rules.append(_under(flag, read_rule, text))
        else:
            field, read = _SINGLE[flag]
            said[field] = _under(flag, read, text)
    return CollectorArgs(**said, filters=(*joined, *single), stop_rules=tuple(rules))


def usage() -> str:
    """Return the text of `--help`."""
    return (
        "python -m collector FLAGS\n\nFind a trial's metrics in its log and store them."
        " A flag is written -x VALUE, -x=VALUE,\n--x VALUE or --x=VALUE.\n\n"
        + usage_of(flags.FLAGS)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvage:
    """What a collector must know even when its flags are wrong: whom to tell, and whether to go."""

    run_dir: str = ""
    native: bool = False
    termination_log: str = TERMINATION_LOG


def salvage(argv: Sequence[str]) -> Salvage:
    """Read these three flags out of a command line that `from_argv` refuses; never fails."""
    found: dict[str, Any] = {}
    for word, following in zip(argv, [*argv[1:], ""], strict=False):
        name, equals, value = word.partition("=")
        if name in ("-native", "--native"):
            found["native"] = not equals or value not in ("false", "False", "FALSE", "0", "f", "F")
        elif name in ("-run-dir", "--run-dir"):
            found["run_dir"] = value if equals else following
        elif name in ("-termination-log", "--termination-log"):
            found["termination_log"] = value if equals else following
    return Salvage(**found)


def _under(flag: Flag, read: Callable[[str], Any], text: str) -> Any:  # noqa: ANN401 - any flag's
    """Read a flag's value; a complaint of it names the flag."""
    try:
        return read(text)
    except UserError as error:
        raise UserError(f"flag {flag.name}: {error}") from None


# The flags that are one field each: which, and how the text becomes its value.
_OURS: dict[Flag, tuple[str, Callable[[str], Any]]] = {
    flags.POLL_INTERVAL: ("poll_interval", parse_duration),
    flags.TIMEOUT: ("timeout", parse_duration),
    flags.RUN_DIR: ("run_dir", str),
    flags.SOURCE: ("source", read_choice(Source)),
    flags.NATIVE: ("native", parse_switch),
    flags.UNWRAPPED: ("unwrapped", parse_switch),
    flags.ECHO: ("echo", parse_switch),
    flags.NAMESPACE: ("namespace", str),
    flags.DRAIN: ("drain", parse_duration),
    flags.TERMINATION_LOG: ("termination_log", str),
}
_SINGLE: dict[Flag, tuple[str, Callable[[str], Any]]] = {
    flags.TRIAL: ("trial", str),
    flags.METRICS: ("metrics", read_list),
    flags.OBJECTIVE_TYPE: ("objective_type", read_choice(ObjectiveType)),
    flags.DB_MANAGER: ("db_manager", str),
    flags.PATH: ("path", str),
    flags.FORMAT: ("format", read_format),
    flags.WAIT_ALL: ("wait_all", parse_switch),
    flags.EARLY_STOPPING: ("early_stopping", str),
    **_OURS,
}
_DEFAULTS = {field.name: field.default for field in fields(CollectorArgs)}


def _words_of_katib(args: CollectorArgs) -> Iterator[str]:
    yield from (flags.TRIAL.name, args.trial)
    yield from (flags.METRICS.name, ";".join(args.metrics))
    yield from (flags.OBJECTIVE_TYPE.name, args.objective_type.value)
    yield from (flags.DB_MANAGER.name, args.db_manager)
    if args.path:
        yield from (flags.PATH.name, args.path)
    if args.filters and not _needs_single(args):
        yield from (flags.FILTERS.name, ";".join(args.filters))
    if args.format is not None:
        yield from (flags.FORMAT.name, args.format.value)
    if args.wait_all is not None:
        yield from (flags.WAIT_ALL.name, _switch(on=args.wait_all))
    for rule in args.stop_rules:
        yield from (flags.STOP_RULE.name, write_rule(rule))
    if args.early_stopping:
        yield from (flags.EARLY_STOPPING.name, args.early_stopping)


def _words_of_ours(args: CollectorArgs) -> Iterator[str]:
    """Write what differs from its default, each in one word: a value may begin with a dash."""
    if _needs_single(args):
        yield from (f"{flags.FILTER.name}={regex}" for regex in args.filters)
    for flag, (field, _) in _OURS.items():
        value = getattr(args, field)
        if value == _DEFAULTS[field]:
            continue
        if isinstance(value, bool):
            value = _switch(on=value)
        elif isinstance(value, timedelta):
            value = render_duration(value)
        yield f"{flag.name}={value}"


def _needs_single(args: CollectorArgs) -> bool:
    return any(";" in regex for regex in args.filters)


def _switch(*, on: bool) -> str:
    return "true" if on else "false"


def _complaints(args: CollectorArgs) -> Iterator[str]:
    """Say what is wrong, the flag first; the mode last, for it is about several of them."""
    words: list[tuple[Flag, Iterator[str]]] = [
        *((flags.METRICS, complaints_of_name(name)) for name in args.metrics),
        *((flags.STOP_RULE, complaints_of_rule(rule)) for rule in args.stop_rules),
        (flags.DB_MANAGER, complaints_of_address(args.db_manager)),
        (flags.EARLY_STOPPING, complaints_of_address(args.early_stopping)),
    ]
    for flag, complaints in words:
        yield from (f"flag {flag.name}: {complaint}" for complaint in complaints)
    for flag, least, given in (
        (flags.POLL_INTERVAL, timedelta(microseconds=1), args.poll_interval),
        (flags.TIMEOUT, _NONE, args.timeout),
        (flags.DRAIN, _NONE, args.drain),
    ):
        if given < least:
            yield f"flag {flag.name}: {render_duration(given)} is too short; write 1s or more"
        if given > LONGEST:
            yield f"flag {flag.name}: {render_duration(given)} is longer than 292 years; write less"
    if "" in args.filters:
        yield f"flag {flags.FILTER.name}: the regex is empty; remove the flag"
    if any("\0" in word for word in args.to_argv()):
        yield "a NUL character cannot stand in a command line; remove it"
    yield from _complaints_of_mode(args)


def _complaints_of_mode(args: CollectorArgs) -> Iterator[str]:
    """Say which flags are missing, and which do not go together."""
    needed = {flags.TRIAL: args.trial, flags.METRICS: args.metrics}
    needed[flags.DB_MANAGER] = args.db_manager
    if args.source is not Source.STDOUT:
        needed[flags.PATH] = args.path
    if args.source is not None or args.native or args.unwrapped:
        needed[flags.RUN_DIR] = args.run_dir
    if args.run_dir:
        needed[flags.SOURCE] = args.source or ""
    if args.unwrapped:
        needed[flags.NATIVE] = "true" if args.native else ""
    for flag, value in needed.items():
        if not value:
            yield f"flag {flag.name} is missing; write {f'{flag.name} {flag.value}'.rstrip()}"
    if args.unwrapped and args.source is not Source.FILE:
        yield "flag --unwrapped: without a launcher nothing is captured; write --source file"
    if args.unwrapped and args.stop_rules:
        yield "flag --unwrapped: without a launcher nobody can be stopped; remove -stop-rule"
