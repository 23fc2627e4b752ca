from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.durations import LONGEST
from api.errors import UserError
from api.goflags import asks_for_help
from api.sidecar import CollectorArgs, MetricsSource, Salvage, from_argv, salvage, usage
from api.sidecar_flags import FLAGS
from api.types import Comparison, LogFormat, ObjectiveType, StopRule

RULE = StopRule(name="loss", value="0.5", comparison=Comparison.GREATER, start_step=3)
PLAIN = CollectorArgs(
    trial="trial-1",
    metrics=("accuracy", "loss"),
    objective_type=ObjectiveType.MAXIMIZE,
    db_manager="katib-db-manager.kubeflow:6789",
    path="/var/log/katib/metrics.log",
)
LEAST = ["-t", "trial-1", "-m", "loss", "-s-db", "db:6789", "-path", "/log"]

# ---- the webhook writes ----


def test_katibs_flags_stand_in_katibs_order() -> None:
    args = replace(
        PLAIN,
        filters=(r"(\w+)=(\d+)", "(a)(b)"),
        format=LogFormat.TEXT,
        wait_all=False,
        stop_rules=(RULE, replace(RULE, name="accuracy", start_step=0)),
        early_stopping="random-medianstop.ns:6788",
    )

    assert args.to_argv() == (
        *("-t", "trial-1"),
        *("-m", "accuracy;loss"),
        *("-o-type", "maximize"),
        *("-s-db", "katib-db-manager.kubeflow:6789"),
        *("-path", "/var/log/katib/metrics.log"),
        *("-f", r"(\w+)=(\d+);(a)(b)"),
        *("-format", "TEXT"),
        *("-w", "false"),
        *("-stop-rule", "loss;0.5;greater;3"),
        *("-stop-rule", "accuracy;0.5;greater;0"),
        *("-s-earlystop", "random-medianstop.ns:6788"),
    )


def test_a_filter_with_a_semicolon_goes_by_our_own_flag() -> None:
    args = replace(PLAIN, filters=("(a);(b)", "(c)(d)"))

    assert args.to_argv()[-2:] == ("--filter=(a);(b)", "--filter=(c)(d)")
    assert "-f" not in args.to_argv()


def test_ours_stand_behind_katibs_and_only_where_they_are_used() -> None:
    args = replace(
        PLAIN, run_dir="/run/trialwatch", source=MetricsSource.FILE, native=True, echo=False
    )

    ours = ("--run-dir=/run/trialwatch", "--source=file", "--native=true", "--echo=false")
    assert args.to_argv() == (*PLAIN.to_argv(), *ours)


# ---- the collector reads ----


@pytest.mark.parametrize("spelling", [["-p", "2s"], ["-p=2s"], ["--p", "2s"], ["--p=2s"]])
def test_a_flag_is_written_in_any_of_gos_four_ways(spelling: list[str]) -> None:
    assert from_argv([*LEAST, *spelling]).poll_interval == timedelta(seconds=2)


@pytest.mark.parametrize(
    ("words", "native"),
    [
        (["--native"], True),
        (["-native"], True),
        (["--native=true"], True),
        (["--native=T"], True),
        (["--native=false"], False),
        (["--native=0"], False),
        ([], False),
    ],
)
def test_a_switch_is_on_when_it_is_there_and_not_false(words: list[str], native: bool) -> None:  # noqa: FBT001
    assert from_argv([*LEAST, "--run-dir=/r", "--source=file", *words]).native is native


def test_the_flags_of_katibs_collector_of_event_files_are_read() -> None:
    argv = (
        "--trial_name trial-1 --db_manager_server_addr db:6789 --metrics_file_dir /log"
        " --metric_names train/accuracy;loss --objective_type maximize --metric_filters (a)(b)"
        " --poll_interval 2 --timeout 60 --wait_all_processes True"
    )
    short = "-t trial-1 -s-db db:6789 -path /log -m train/accuracy;loss -o-type maximize"
    short += " -f (a)(b) -p 2 -timeout 60 -w True"

    args = from_argv(argv.split())

    assert args == from_argv(short.split())
    assert args.metrics == ("train/accuracy", "loss")
    assert args.poll_interval == timedelta(seconds=2)
    assert args.timeout == timedelta(minutes=1)


def test_what_katibs_own_webhook_writes_is_read() -> None:
    argv = (
        "-t trial-1 -m accuracy;loss -o-type maximize -s-db katib-db-manager.kubeflow:6789"
        " -path /log -f (a)(b);(c)(d) -w true -stop-rule loss;0.5;greater;3"
        " -s-earlystop random-medianstop.ns:6788"
    )
    args = from_argv([*argv.split(), "-format", ""])

    assert args.metrics == ("accuracy", "loss")
    assert args.filters == ("(a)(b)", "(c)(d)")
    assert args.format is None
    assert args.wait_all is True
    assert args.stop_rules == (RULE,)
    assert args.run_dir == ""
    assert args.source is None
    assert args.echo


def test_filters_of_both_flags_are_joined() -> None:
    argv = [*LEAST, "--filter=(a);(b)", "-f", "(c)(d);;(e)(f);", "--filter", "-x"]

    assert from_argv(argv).filters == ("(c)(d)", "(e)(f)", "(a);(b)", "-x")


def test_the_last_of_two_equal_flags_counts() -> None:
    assert from_argv([*LEAST, "-t", "trial-2"]).trial == "trial-2"


def test_two_dashes_end_the_flags() -> None:
    assert from_argv([*LEAST, "--"]) == from_argv(LEAST)


REFUSED = [
    (["--run-dri=/r"], 'unknown flag "--run-dri=/r"; did you mean "--run-dir"?'),
    (["-zzz"], 'unknown flag "-zzz"; --help lists all flags'),
    (["-p"], "flag -p has no value; write -p DURATION"),
    (["-p", "1.5"], 'flag -p: "1.5" is not a duration; write'),
    (["-p", "0s"], "flag -p: 0s is too short; write 1s or more"),
    (["-timeout=-1s"], "flag -timeout: -1s is too short; write 1s or more"),
    (["-w", "yes"], 'flag -w: "yes" is neither true nor false; write'),
    (["--native=maybe"], 'flag --native: "maybe" is neither true nor false; write'),
    (["--native", "false"], '"false" is not a flag; remove it'),
    (["more"], '"more" is not a flag; remove it'),
    (["--", "-p=1s"], '"-p=1s" is not a flag; remove it'),
    (["-"], '"-" is not a flag; remove it'),
    ([""], '"" is not a flag; remove it'),
    (["---p=1s"], '"---p=1s" is not a flag; write -name VALUE'),
    (["-=1s"], '"-=1s" is not a flag; write -name VALUE'),
    (["-o-type", "min"], 'flag -o-type: "min" is not one of minimize, maximize'),
    (["-format", "text"], 'flag -format: "text" is not one of TEXT, JSON; did you mean "TEXT"?'),
    (["-m", ""], 'flag -m: "" is not a metric name; write names'),
    (["-m", "a;;b"], 'flag -m: "" is not a metric name; write names'),
    (["-t", ""], "flag -t is missing; write -t NAME"),
    (["-path="], "flag -path is missing; write -path FILE"),
    (
        ["-s-db", "db"],
        'flag -s-db: "db" is not an address; write HOST:PORT, such as 127.0.0.1:6789',
    ),
    (
        ["-s-db", "db:70000"],
        'flag -s-db: "db:70000" is not an address; write HOST:PORT, such as 127.0.0.1:6789',
    ),
    (
        ["-s-earlystop", ":0"],
        'flag -s-earlystop: ":0" is not an address; write HOST:PORT, such as 127.0.0.1:6789',
    ),
    (["--filter="], "flag --filter: the regex is empty; remove"),
    (["--run-dir=/r"], "flag --source is missing; write --source stdout|file"),
    (["--source=file"], "flag --run-dir is missing; write --run-dir DIR"),
    (["--native"], "flag --run-dir is missing; write --run-dir DIR"),
    (["--state-dir=/s"], "flag --run-dir is missing; write --run-dir DIR"),
    (
        ["-path=/data/../etc/x.log", "--volume=/data"],
        'flag --volume: "/data/../etc/x.log" is not below "/data"; write the directory',
    ),
    (
        ["-path=/database/x.log", "--volume=/data"],
        'flag --volume: "/database/x.log" is not below "/data"; write the directory',
    ),
    (
        ["--run-dir=/r", "--source=file", "--unwrapped"],
        "flag --native is missing; write --native",
    ),
    (
        ["--run-dir=/r", "--source=stdout", "--native", "--unwrapped"],
        "flag --unwrapped: without a launcher, no output is captured; write --source file",
    ),
    (
        ["--run-dir=/r", "--source=file", "--native", "--unwrapped", "-stop-rule=a;1;less;0"],
        "flag --unwrapped: without a launcher, no trainer can be stopped; remove -stop-rule",
    ),
    (
        ["-stop-rule", "loss;1;less"],
        'flag -stop-rule: "loss;1;less" is not a stop rule; write NAME',
    ),
    (["-stop-rule", "a;1;less;0;1"], 'flag -stop-rule: "a;1;less;0;1" is not a stop rule; write'),
    (["-stop-rule", "a;1;less;x"], 'flag -stop-rule: "a;1;less;x": the start step "x" is no'),
    (["-stop-rule", "a;1;less;-1"], 'flag -stop-rule: "a;1;less;-1": the start step "-1" is no'),
    (["-stop-rule", "a;1;below;1"], 'flag -stop-rule: "below" is not one of equal, less, greater'),
    (["-stop-rule", "a;x;less;1"], 'flag -stop-rule: "a;x;less;1": the value "x" is not a number'),
    (["-stop-rule", "a;1_0;less;1"], 'flag -stop-rule: "a;1_0;less;1": the value "1_0" is no'),
    (["-stop-rule", ";1;less;1"], 'flag -stop-rule: ";1;less;1": the name is empty'),
]


@pytest.mark.parametrize(("words", "complaint"), REFUSED, ids=[" ".join(w) for w, _ in REFUSED])
def test_a_fault_is_refused_with_flag_value_and_remedy(words: list[str], complaint: str) -> None:
    with pytest.raises(UserError, match=f"^{re.escape(complaint)}"):
        from_argv([*LEAST, *words])


@pytest.mark.parametrize("value", ["1", "-.5", "1.", "1e-3", "nan", "-Inf", "+infinity"])
def test_a_rule_is_held_against_any_float_of_go(value: str) -> None:
    (rule,) = from_argv([*LEAST, "-stop-rule", f"loss;{value};less;0"]).stop_rules

    assert rule.value == value


@pytest.mark.parametrize(
    "fault",
    [
        {"metrics": ("a;b",)},
        {"metrics": ()},
        {"stop_rules": (replace(RULE, name="a;b"),)},
        {"stop_rules": (replace(RULE, start_step=-1),)},
        {"trial": "nul\0"},
        {"drain": LONGEST + timedelta(days=1)},
    ],
    ids=str,
)
def test_what_no_command_line_can_say_is_refused_when_it_is_made(fault: dict[str, object]) -> None:
    with pytest.raises(UserError, match=r"; (write|remove)"):
        replace(PLAIN, **fault)  # type: ignore[arg-type]


# ---- both ways ----

_words = st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=12)
_names = _words.filter(lambda text: ";" not in text)
_addresses = st.sampled_from(["db:6789", "a.b.svc:1", "[::1]:65535", "unix:/run/x/db"])
_spans = st.timedeltas(timedelta(microseconds=1), LONGEST)
_rules = st.builds(
    StopRule,
    name=_names,
    value=st.floats().map(str),
    comparison=st.sampled_from(Comparison),
    start_step=st.integers(0, 10**9 - 1),
)


@st.composite
def _args(draw: st.DrawFn) -> CollectorArgs:
    source = draw(st.sampled_from([None, *MetricsSource]))
    unwrapped = source is MetricsSource.FILE and draw(st.booleans())
    return CollectorArgs(
        trial=draw(_words),
        metrics=tuple(draw(st.lists(_names, min_size=1, max_size=4))),
        objective_type=draw(st.sampled_from(ObjectiveType)),
        db_manager=draw(_addresses),
        path="" if source is MetricsSource.STDOUT else draw(_words),
        filters=tuple(draw(st.lists(_words, max_size=4))),
        format=draw(st.sampled_from([None, *LogFormat])),
        wait_all=draw(st.sampled_from([None, True, False])),
        stop_rules=() if unwrapped else tuple(draw(st.lists(_rules, max_size=3))),
        early_stopping=draw(st.one_of(st.just(""), _addresses)),
        poll_interval=draw(_spans),
        timeout=draw(_spans),
        run_dir="" if source is None else draw(_words),
        source=source,
        native=unwrapped or (source is not None and draw(st.booleans())),
        unwrapped=unwrapped,
        echo=draw(st.booleans()),
        steps=draw(st.booleans()),
        reduce=draw(st.sampled_from(["", "mean:", "rank0:worker-1", "max:0-3"])),
        namespace=draw(st.one_of(st.just(""), _words)),
        drain=draw(_spans),
        termination_log=draw(_words),
        db_manager_ca=(authorities := draw(st.one_of(st.just(""), _words))),
        db_manager_token=draw(st.one_of(st.just(""), _words)) if authorities else "",
        early_stopping_ca=(authorities := draw(st.one_of(st.just(""), _words))),
        early_stopping_token=draw(st.one_of(st.just(""), _words)) if authorities else "",
    )


@given(_args())
def test_what_is_written_is_read_back(args: CollectorArgs) -> None:
    assert from_argv(args.to_argv()) == args


@given(_args())
def test_run_dir_and_mode_are_known_from_what_another_version_writes(args: CollectorArgs) -> None:
    args = replace(args, trial="trial-1", metrics=("loss",), path="/log", stop_rules=(), filters=())

    left = salvage(["--new-flag", *args.to_argv()])

    assert left == Salvage(
        run_dir=args.run_dir, native=args.native, termination_log=args.termination_log
    )


_known = st.sampled_from([flag.name for flag in FLAGS])
_values = st.sampled_from(
    ["", "1s", "true", "a;1;less;0", "/x", "h:1", "TEXT", "stdout", "-", "=x"]
)
_odd = st.one_of(
    _known,
    st.builds("{}={}".format, _known, st.one_of(_values, st.text())),
    _values,
    st.text(),
    st.just("--"),
)


@given(st.lists(_odd, max_size=12), st.booleans())
def test_any_command_line_is_either_taken_or_refused(argv: list[str], complete: bool) -> None:  # noqa: FBT001
    try:
        args = from_argv([*(LEAST if complete else []), *argv])
    except UserError as error:
        assert str(error).isprintable()  # noqa: PT017 - both outcomes are right
    else:
        assert from_argv(args.to_argv()) == args


@given(st.lists(_odd, max_size=12))
def test_something_is_saved_from_any_command_line(argv: list[str]) -> None:
    assert isinstance(salvage(argv), Salvage)


@pytest.mark.parametrize(
    ("argv", "left"),
    [
        ([], Salvage()),
        (["--native"], Salvage(native=True)),
        (["-native=false"], Salvage()),
        (["--new-flag", "--run-dir=/r", "--native"], Salvage(run_dir="/r", native=True)),
        (["--run-dir", "/r", "-p", "x"], Salvage(run_dir="/r")),
        (["--run-dir"], Salvage()),
        (["--termination-log=/t"], Salvage(termination_log="/t")),
    ],
)
def test_run_dir_and_mode_are_known_even_from_wrong_flags(argv: list[str], left: Salvage) -> None:
    assert salvage(argv) == left


# ---- the help text ----


def test_the_help_text_says_a_sentence_on_each_flag() -> None:
    text = " ".join(usage().split())

    for flag in FLAGS:
        assert f"{flag.name} {flag.value}".strip() in text
        assert flag.sentence in text
    assert max(map(len, usage().splitlines())) <= 90


@pytest.mark.parametrize("word", ["-h", "--help", "-help", "--h"])
def test_help_is_asked_for_in_any_of_gos_ways(word: str) -> None:
    assert asks_for_help(["-t", "x", word])
    assert not asks_for_help(["-t", "help"])


def test_a_token_needs_the_authorities_of_tls() -> None:
    with pytest.raises(UserError, match="flag --db-manager-ca is missing"):
        replace(PLAIN, db_manager_token="/token")
    with pytest.raises(UserError, match="flag --early-stopping-ca is missing"):
        replace(PLAIN, early_stopping_token="/token")
