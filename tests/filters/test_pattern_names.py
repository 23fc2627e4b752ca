"""Whether a pattern can match a metric's name: the answer is never no where it can."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import UserError
from filters.pattern import compile_pattern
from filters.pattern_names import can_match_name, unfindable_names
from tests.call_counts import calls_of

KATIBS = r"([\w|-]+)\s*=\s*([+-]?\d*(\.\d+)?([Ee][+-]?\d+)?)"


@pytest.mark.parametrize(
    ("pattern", "name", "possible"),
    [
        (KATIBS, "accuracy", True),
        (KATIBS, "val-loss", True),
        (KATIBS, "val/loss", False),
        (KATIBS, "mAP@50", False),
        (r"{metricName: ([\w|-]+), metricValue: ([0-9.]+)}", "loss", True),
        (r"{metricName: ([\w|-]+), metricValue: ([0-9.]+)}", "val.loss", False),
        (r"(loss|accuracy)=([0-9.]+)", "f1", False),
        (r"((?:val_)?loss)=([0-9.]+)", "val_loss", True),
        (r"((a)b)=([0-9.]+)", "ab", True),
        (r"((a)b)=([0-9.]+)", "a", False),
        (r"([[:alpha:]]+)=([0-9.]+)", "loss", True),
        (r"([[:alpha:]]+)=([0-9.]+)", "loss1", False),
        (r"([^\]()]+)=([0-9.]+)", "loss", True),
        (r"([]a(]+)=([0-9.]+)", "a(]", True),
        (r"\((\w+)\)=([0-9.]+)", "loss", True),
        (r"( loss)=([0-9.]+)", "loss", True),
        # What the text does not tell is possible.
        (r"(?i)(LOSS)=([0-9.]+)", "loss", True),
        (r"(?P<value>[0-9.]+) (?P<name>\w+)", "a/b", True),
        (r"(?<=a)(\w+)=([0-9.]+)", "a/b", True),
        (r"\Q(\E(\w+)=([0-9.]+)", "a/b", True),
    ],
)
def test_a_name_is_possible_where_its_group_matches_it(
    pattern: str, name: str, *, possible: bool
) -> None:
    assert can_match_name(pattern, name) is possible


def test_a_pattern_that_is_refused_is_refused_here_too() -> None:
    with pytest.raises(UserError):
        can_match_name("(", "loss")


def test_names_that_no_pattern_finds_are_listed() -> None:
    assert unfindable_names([KATIBS, "(f1)=(.*)"], ["loss", "a/b", "f1", "c@d"]) == ("a/b", "c@d")


def test_thousands_of_long_names_and_large_patterns_are_tried_only_in_part() -> None:
    patterns = [f"([a-z.]{{500}}{number}?)=(.*)" for number in range(100)]
    names = [f"{number}" + "n" * 1000 for number in range(1001)]

    few = calls_of(lambda: unfindable_names(patterns, names[:100]))
    many = calls_of(lambda: unfindable_names(patterns, names))

    assert many == few


_PIECES = st.sampled_from(
    [
        *("a", "b", "=", " ", "(a|b)", "(?:a)", r"\(", r"\)", "[(]", "[^)]", "[]]", "(a)", "(b*)"),
        *("(", ")", "[", "]", "|", "*", "+", r"\w", "[[:alpha:]]", "(?i)", "^", "$", r"\b", r"\s"),
    ]
)


@given(st.lists(_PIECES, min_size=2, max_size=8), st.text("abA()=] ", max_size=8))
def test_every_name_that_a_pattern_finds_counts_as_possible(pieces: list[str], line: str) -> None:
    source = "".join(pieces)
    try:
        pattern = compile_pattern(source)
    except UserError:
        return
    for name, _ in pattern.matches(line.encode()):
        assert name == "" or can_match_name(source, name)
