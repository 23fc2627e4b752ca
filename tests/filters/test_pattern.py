"""Which constructs users may write, what they match, and which engine runs them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import re2
import regex

from api.errors import UserError
from api.limits import LONGEST_PATTERN
from filters.pattern import LINE_STEPS, SEARCH_STEPS, Engine, compile_pattern, fault_of

# Constructs of RE2: each as the first group of `(CONSTRUCT)(x?)`, and a line to try it on.
TAKEN_BY_RE2 = [
    ("a", "bab"), ("a.c", "abc a\x00c"), (".", "é"), ("[abc]", "xcx"), ("[^abc]", "abd"),
    ("[a-z]+", "ABcd"), ("[a-]", "-"), ("[]a]", "]"), ("[^]a]", "]b"), ("[[:alpha:]]+", "1ab"),
    ("[[:^alpha:]]+", "ab12"), ("[[:word:]]", "-_"), (r"\d+", "a12"), (r"\D+", "12ab"), (r"\w+", "é_a1"),
    (r"\W+", "aé b"), (r"\s+", "a \t b"), (r"\S+", "  ab "), (r"\pL+", "é1"), (r"\PL+", "é1"),
    (r"\p{Greek}+", "aαβ"), (r"\P{Greek}+", "αab"), (r"\p{^Greek}+", "αab"), (r"[\d\-]+", "a1-2"),
    (r"[\pL\d]+", "-é1"), ("a*", "aab"), ("a+", "baa"), ("a?", "a"), ("a*?", "aa"), ("a+?", "aa"),
    ("a??", "a"), ("a{2}", "aaa"), ("a{2,}", "aaaa"), ("a{1,2}", "aaa"), ("a{2,3}?", "aaaa"),
    ("a{,2}", "a{,2}"), ("a|b", "cb"), ("|a", "a"), ("a||b", "b"), ("(?:ab)+", "abab"), ("((a)b)+", "abab"),
    ("(?P<x>a)", "a"), ("(?<y>a)", "a"), ("(?i)LOSS", "loss"), ("(?i:L)oss", "loss"), ("(?s).", "a"),
    ("(?m)^a$", "a"), ("(?U)a+", "aa"), ("(?U:a+)a", "aaa"), ("(?-i)a", "a"), ("(?i-s)A.", "ab"),
    ("^a", "aa"), ("a$", "aa"), (r"\Aa", "aa"), (r"a\z", "aa"), (r"\ba", "ba a"), (r"\Ba", "a ba"),
    (r"\Q.*\E", "a.*"), (r"\.", "a."), (r"\\", "a\\"), (r"\n", "ab"), (r"\t", "a\tb"), (r"\f", "\f"),
    (r"\v", "\v"), (r"\a", "\a"), (r"\r", "ab"), (r"\x41", "A"), (r"\x{e9}", "é"), (r"\101", "A"), (r"\123", "S"),
    (r"\C", "a"), ("a{0}", "a"), ("(?:a*)*", "aaa"), ("(?:a|b)*", "abc"), ("(?:)", "a"), ("x{1000}", "x" * 1000),
    ("é+", "éé"), ("[é-ü]+", "aéü"), (r"\-", "-"), (r"\/", "/"), ("{", "{"), ("a{", "a{"), ("]", "]"), ("}", "}"),
]  # fmt: skip

# Constructs that RE2 refuses and `regex` takes, with what they find in a line.
TAKEN_BY_REGEX = [
    ("(?=a)a", "ba", "a"), ("(?!b)a", "ba", "a"), ("(?<=b)a", "ba", "a"), ("(?<!a)b", "ab b", "b"),
    (r"(?:(q)|a)\2?", "a", "a"), ("(?>a+)", "aa", "aa"), ("a++", "aa", "aa"), ("a*+", "aa", "aa"),
    ("(?#note)a", "a", "a"), ("(?x: a )", "a", "a"), (r"a\Z", "aa", "a"), (r"\h+", "a  b", "  "),
]  # fmt: skip

REFUSED = [
    ("(a)(", "missing ) at position 4"), ("(a)(b", "missing )"), ("(a))(b)", "unbalanced parenthesis at position 3"),
    ("(a)([b)", "unterminated character set at position 7"), ("(a)(**)", "nothing to repeat"),
    ("(a)(b**)", "multiple repeat"), ("(a)([z-a])", "bad character range"), ("(a)(b{2,1})", "min repeat greater"),
    ("(a)(\\", "bad escape"), ("(a)(?P<n>b)(?P<n)", "at position"), ("(a)(?P=nope)(b)", "unknown group"),
    ("(a)\\4(b)", "at position"), ("(a)(\udc80)", "not valid Unicode"),
]  # fmt: skip


@pytest.mark.parametrize(("construct", "line"), TAKEN_BY_RE2)
def test_a_pattern_that_re2_accepts_runs_in_re2_and_finds_the_same(
    construct: str, line: str
) -> None:
    source = f"({construct})(x?)"
    pattern = compile_pattern(source)
    assert pattern.engine is Engine.RE2
    assert pattern.notice is None
    match = re2.compile(source).search(line.encode())
    found = next(pattern.matches(line.encode()), None)
    expected = match and (match[1] or b"").decode().strip()
    assert (found and found[0]) == expected


@pytest.mark.parametrize(("construct", "line", "expected"), TAKEN_BY_REGEX)
def test_a_pattern_that_only_regex_accepts_runs_there_with_a_notice(
    construct: str, line: str, expected: str
) -> None:
    pattern = compile_pattern(f"({construct})()")
    assert pattern.engine is Engine.REGEX
    assert "runs in `regex`" in (pattern.notice or "")
    assert next(pattern.matches(line.encode()))[0] == expected.strip()


@pytest.mark.parametrize(("source", "words"), REFUSED)
def test_a_pattern_that_neither_accepts_is_refused_with_the_position(
    source: str, words: str
) -> None:
    with pytest.raises(UserError) as refusal:
        compile_pattern(source)
    assert words in str(refusal.value)
    assert repr(source) in str(refusal.value)


@pytest.mark.parametrize(
    ("source", "count"), [("loss", "no group"), ("(loss)", "one group"), ("(?=a)(b)", "one group")]
)
def test_a_pattern_with_fewer_than_two_groups_is_refused_with_an_example(
    source: str, count: str
) -> None:
    with pytest.raises(UserError, match=count) as refusal:
        compile_pattern(source)
    assert r"([\w|-]+)=([0-9.]+)" in str(refusal.value)


def test_groups_called_name_and_value_may_stand_in_any_order() -> None:
    pattern = compile_pattern(r"(?P<value>[\d.]+) is the (?P<name>\w+)")
    assert list(pattern.matches(b"0.5 is the loss")) == [("loss", "0.5")]


def test_a_group_that_took_no_part_is_empty() -> None:
    assert list(compile_pattern("(a)|(b)").matches(b"ab")) == [("a", ""), ("", "b")]


def test_the_refusal_is_also_available_as_a_value() -> None:
    assert fault_of("(a)(b)") is None
    assert "one group" in (fault_of("(a)") or "")


# -- bounds ---------------------------------------------------------------------------------


@pytest.fixture
def compiled_by_regex(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """List what `regex` compiles."""
    compiled: list[str] = []

    def compile_(source: str, *_: object) -> None:
        compiled.append(source)
        raise regex.error("refused by the test")

    monkeypatch.setattr(regex, "compile", compile_)
    return compiled


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("(a)(b)" + "x" * LONGEST_PATTERN, id="long"),
        pytest.param("(a)(b)" + "x{1000}" * 2000, id="large in RE2"),
        pytest.param("(a)(b).{1000}.{1000}.{1000}", id="too many instructions"),
        pytest.param("(a)(b)" + r"\pL" * 200, id="Unicode classes"),
        pytest.param("(?=x)(a)(b)" + "(?:" * 40 + "a" + ")+" * 40, id="nested +"),
        pytest.param("(?=x)(a)(b)" + "(?:" * 12 + "a" + "){2,3}" * 12, id="nested counts"),
        pytest.param("(?=x)(a)(b)(?:ab|c){100000}", id="a large count"),
        pytest.param("(?x)(?=x)(a)(b)" + "(?:" * 20 + "a" + " ) { 2}" * 20, id="free spacing"),
        pytest.param(
            "(?x)(?=x)(a)(b)" + "(?:" * 20 + "a" + " #)\n ) # (\n +" * 20, id="hidden in comments"
        ),
    ],
)
def test_a_pattern_that_grows_when_it_is_compiled_is_refused_before(
    source: str, compiled_by_regex: list[str]
) -> None:
    with pytest.raises(UserError, match=r"are allowed|too large when its repetitions") as refusal:
        compile_pattern(source)
    assert not compiled_by_regex
    assert len(str(refusal.value)) < 1000


@pytest.mark.parametrize(
    "source",
    [
        r"(a)(b).{1000}",
        r"(\pL+)=(\pN+)",
        "(a)(b)" + "x" * 16_000,
        "(?!x)((a)+)=((b)+)",
        "(?x) (?!x) " + r"(\w+) \s+ " * 20,
    ],
)
def test_a_pattern_of_usual_size_is_accepted(source: str) -> None:
    assert fault_of(source) is None


def test_flags_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(UserError, match="ASCII, LOCALE and UNICODE flags"):
        compile_pattern("(?u)(?=a)(a)(b)")


def test_a_search_that_may_take_too_many_steps_is_not_begun() -> None:
    pattern = compile_pattern("(a)(b).{1000}")
    line = b"loss " + b"x" * (SEARCH_STEPS // 1000)
    with pytest.raises(TimeoutError):
        next(pattern.matches(line))
    assert not list(pattern.matches(line[:1000]))


def test_the_searches_of_one_line_stop_when_together_they_may_take_too_many_steps() -> None:
    pattern = compile_pattern("(a)(b.*c)?")
    found: list[tuple[str, str]] = []
    with pytest.raises(TimeoutError):
        found.extend(pair for pair in pattern.matches(b"a" * (1 << 20)))
    assert 0 < len(found) <= LINE_STEPS // (1 << 20)


@contextmanager
def at_most_cpu_seconds(seconds: float) -> Iterator[None]:
    """Raise an error in what takes more time of the processor; a busy machine changes nothing."""

    def refuse(*_: object) -> None:
        raise AssertionError(f"more than {seconds} s of the processor")

    before = signal.signal(signal.SIGPROF, refuse)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def test_a_pattern_outside_re2_takes_a_fraction_of_a_second_for_a_line() -> None:
    pattern = compile_pattern(r"(?!x)(loss)=((a|aa)+)$")

    with at_most_cpu_seconds(2), pytest.raises(TimeoutError):
        list(pattern.matches(b"loss=" + b"a" * 60 + b"b"))
