"""The collector's command line: the only coupling between the images of webhook and collector.

The webhook writes it (`to_argv`), and the collector reads it (`from_argv`). Katib's own webhook may
write it too, so Katib's flags keep their names, order and meaning. The flags of trialwatch are long
and optional, and they state the mode, which is never inferred:

| flags | mode |
|---|---|
| only Katib's | injected by Katib: pid and marker protocol |
| `--run-dir --source [--native]` | beside a launcher |
| `--run-dir --source file --native --unwrapped` | no launcher: SIGTERM means the trainer ended |

The last one also with `--source events`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from enum import StrEnum
from posixpath import normpath
from typing import Any

from api import sidecar_flags as flags
from api.durations import LONGEST, parse_duration, render_duration
from api.errors import UserError
from api.faults import quoted
from api.goflags import Flag, parse_switch, read_flags, usage_of
from api.names import TERMINATION_LOG
from api.reductions import read_pod_reduction
from api.sidecar_values import (
    LogLevel,
    complaints_of_address,
    complaints_of_name,
    complaints_of_rule,
    read_choice,
    read_format,
    read_list,
    read_rule,
    read_seconds,
    write_rule,
)
from api.types import LogFormat, ObjectiveType, StopRule

_NONE = timedelta()


class MetricsSource(StrEnum):
    """Where the metrics are: in the launcher's segments, or in files of the user."""

    STDOUT = "stdout"
    FILE = "file"
    EVENTS = "events"
    """Event files of TensorFlow, below a directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorArgs:
    """The arguments of a collector.

    Raises:
        UserError: a value cannot be written on a command line, or the values do not fit together.
    """

    trial: str
    metrics: tuple[str, ...]
    """The objective first."""
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
    """How long the collector may run; zero means no limit."""
    run_dir: str = ""
    state_dir: str = ""
    """The checkpoint's directory; empty: the run directory."""
    volume: str = ""
    """Where the volume of `path` is mounted; empty: at the file's directory."""
    source: MetricsSource | None = None
    native: bool = False
    unwrapped: bool = False
    one_pod: bool = False
    """The trial's job runs one pod at a time, until one has succeeded."""
    echo: bool = True
    steps: bool = True
    """Whether to look for each point's step."""
    reduce: str = ""
    """How the job's pods become one series, and this pod's name in it (`api.reductions`)."""
    namespace: str = ""
    drain: timedelta = timedelta(seconds=300)
    grace: timedelta = timedelta(seconds=30)
    """The pod's grace period."""
    termination_log: str = TERMINATION_LOG
    db_manager_ca: str = ""
    """The file with the authorities of the DB manager's certificate; "": no TLS."""
    db_manager_token: str = ""
    """The file with the token for the DB manager; "": none."""
    early_stopping_ca: str = ""
    """The same for the early-stopping service."""
    early_stopping_token: str = ""
    quit_istio: bool = False
    """Whether to end Istio's proxy after the training."""
    push: str = ""
    """The address at which metrics are accepted by HTTP; "": none are."""
    scrape: str = ""
    """The address from which metrics are scraped; "": none."""
    scrape_interval: timedelta = timedelta(seconds=5)
    mlflow: bool = False
    """Whether MLflow's client is answered at the address of `push`."""
    log_level: LogLevel = LogLevel.WARNING
    """The least level of the collector's own messages."""

    def __post_init__(self) -> None:
        complaint = next(_complaints(self), None)
        if complaint is not None:
            raise UserError(complaint)

    @property
    def receives(self) -> bool:
        """Whether points also come by calls: pushes or scrapes."""
        return bool(self.push or self.scrape)

    def to_argv(self) -> tuple[str, ...]:
        """Return the command line: Katib's flags in Katib's order, then the other flags in use."""
        return (*_katib_words(self), *_own_words(self))


def from_argv(argv: Sequence[str]) -> CollectorArgs:
    """Read a command line without the program's name; of a repeated flag, the last one counts.

    Raises:
        UserError: a flag is unknown, or its value is missing or wrong.
    """
    values: dict[str, Any] = {"trial": "", "metrics": (), "db_manager": ""}
    joined: tuple[str, ...] = ()
    single: list[str] = []
    rules: list[StopRule] = []
    for flag, text in read_flags(argv, flags.FLAGS):
        if flag is flags.FILTERS:  # Katib accepts `a;;b` and `a;`
            joined = tuple(regex for regex in read_list(text) if regex)
        elif flag is flags.FILTER:
            single.append(text)
        elif flag is flags.STOP_RULE:
            rules.append(_under(flag, read_rule, text))
        else:
            field, read = _SINGLE[flag]
            values[field] = _under(flag, read, text)
    return CollectorArgs(**values, filters=(*joined, *single), stop_rules=tuple(rules))


def usage() -> str:
    """Return the text of `--help`."""
    return (
        "usage: python -m collector FLAG...\n\nFind a trial's metrics in its log and store them."
        " A flag is written -x VALUE, -x=VALUE,\n--x VALUE or --x=VALUE.\n\n"
        + usage_of(flags.FLAGS)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvage:
    """What a collector needs even if its flags are wrong: where to report, and whether to exit."""

    run_dir: str = ""
    native: bool = False
    termination_log: str = TERMINATION_LOG


def salvage(argv: Sequence[str]) -> Salvage:
    """Read three flags from a command line that `from_argv` refuses; never fails."""
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
    """Read a flag's value; an error names the flag."""
    try:
        return read(text)
    except UserError as error:
        raise UserError(f"flag {flag.name}: {error}") from None


# The flags that set one field: the field, and the function that reads the text.
_OURS: dict[Flag, tuple[str, Callable[[str], Any]]] = {
    flags.POLL_INTERVAL: ("poll_interval", read_seconds),
    flags.TIMEOUT: ("timeout", read_seconds),
    flags.RUN_DIR: ("run_dir", str),
    flags.STATE_DIR: ("state_dir", str),
    flags.VOLUME: ("volume", str),
    flags.SOURCE: ("source", read_choice(MetricsSource)),
    flags.NATIVE: ("native", parse_switch),
    flags.UNWRAPPED: ("unwrapped", parse_switch),
    flags.ONE_POD: ("one_pod", parse_switch),
    flags.ECHO: ("echo", parse_switch),
    flags.STEPS: ("steps", parse_switch),
    flags.REDUCE: ("reduce", lambda text: read_pod_reduction(text).text),
    flags.NAMESPACE: ("namespace", str),
    flags.DRAIN: ("drain", parse_duration),
    flags.GRACE: ("grace", parse_duration),
    flags.TERMINATION_LOG: ("termination_log", str),
    flags.DB_MANAGER_CA: ("db_manager_ca", str),
    flags.DB_MANAGER_TOKEN: ("db_manager_token", str),
    flags.EARLY_STOPPING_CA: ("early_stopping_ca", str),
    flags.EARLY_STOPPING_TOKEN: ("early_stopping_token", str),
    flags.QUIT_ISTIO: ("quit_istio", parse_switch),
    flags.PUSH: ("push", str),
    flags.SCRAPE: ("scrape", str),
    flags.SCRAPE_INTERVAL: ("scrape_interval", parse_duration),
    flags.MLFLOW: ("mlflow", parse_switch),
    flags.LOG_LEVEL: ("log_level", read_choice(LogLevel)),
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


def _katib_words(args: CollectorArgs) -> Iterator[str]:
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


def _own_words(args: CollectorArgs) -> Iterator[str]:
    """Yield values that differ from their default, as one word: a value may start with a dash."""
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
    """Yield what is wrong with single flags, then with their combination."""
    words: list[tuple[Flag, Iterator[str]]] = [
        *((flags.METRICS, complaints_of_name(name)) for name in args.metrics),
        *((flags.STOP_RULE, complaints_of_rule(rule)) for rule in args.stop_rules),
        (flags.DB_MANAGER, complaints_of_address(args.db_manager)),
        (flags.EARLY_STOPPING, complaints_of_address(args.early_stopping)),
        (flags.PUSH, complaints_of_address(args.push)),
    ]
    for flag, complaints in words:
        yield from (f"flag {flag.name}: {complaint}" for complaint in complaints)
    for flag, least, given in (
        (flags.POLL_INTERVAL, timedelta(microseconds=1), args.poll_interval),
        (flags.TIMEOUT, _NONE, args.timeout),
        (flags.DRAIN, _NONE, args.drain),
        (flags.GRACE, _NONE, args.grace),
        (flags.SCRAPE_INTERVAL, timedelta(milliseconds=100), args.scrape_interval),
    ):
        if given < least:
            yield f"flag {flag.name}: {render_duration(given)} is too short; write 1s or more"
        if given > LONGEST:
            yield f"flag {flag.name}: {render_duration(given)} is longer than 292 years; write less"
    if "" in args.filters:
        yield f"flag {flags.FILTER.name}: the regex is empty; remove the flag"
    if any("\0" in word for word in args.to_argv()):
        yield "a command line cannot contain a NUL character; remove it"
    if args.volume and not is_below(args.path, args.volume):
        yield (
            f"flag {flags.VOLUME.name}: {quoted(args.path)} is not below {quoted(args.volume)};"
            f" write the directory at which the volume of {flags.PATH.name} is mounted"
        )
    if args.scrape and not args.scrape.startswith("http://127.0.0.1:"):
        yield f"flag {flags.SCRAPE.name}: {quoted(args.scrape)} is not of the pod; write http://127.0.0.1:PORT/PATH"
    yield from _complaints_of_mode(args)


def is_below(path: str, directory: str) -> bool:
    """Return whether an absolute path is below a directory, however it is written."""
    return f"{normpath(path)}/".startswith(f"{normpath(directory).rstrip('/')}/")


def _complaints_of_mode(args: CollectorArgs) -> Iterator[str]:
    """Yield which flags are missing, and which cannot be combined."""
    needed = {flags.TRIAL: args.trial, flags.METRICS: args.metrics}
    needed[flags.DB_MANAGER] = args.db_manager
    if args.source is not MetricsSource.STDOUT:
        needed[flags.PATH] = args.path
    received = args.push or args.scrape
    if args.source is not None or args.native or args.unwrapped or args.state_dir or received:
        needed[flags.RUN_DIR] = args.run_dir
    if args.run_dir:
        needed[flags.SOURCE] = args.source or ""
    if args.mlflow:
        needed[flags.PUSH] = args.push
    if args.unwrapped:
        needed[flags.NATIVE] = "true" if args.native else ""
    needed |= _needed_by_tokens(args)
    for flag, value in needed.items():
        if not value:
            yield f"flag {flag.name} is missing; write {f'{flag.name} {flag.value}'.rstrip()}"
    if args.unwrapped and args.source not in (MetricsSource.FILE, MetricsSource.EVENTS):
        yield "flag --unwrapped: without a launcher, no output is captured; write --source file"
    if args.unwrapped and args.stop_rules:
        yield "flag --unwrapped: without a launcher, no trainer can be stopped; remove -stop-rule"


def _needed_by_tokens(args: CollectorArgs) -> dict[Flag, str]:
    """Return the flags of TLS that the tokens need: they are never sent in clear."""
    servers = (
        (args.db_manager_token, flags.DB_MANAGER_CA, args.db_manager_ca),
        (args.early_stopping_token, flags.EARLY_STOPPING_CA, args.early_stopping_ca),
    )
    return {flag: authorities for token, flag, authorities in servers if token}
