"""What differs between renderings is under a condition, and the rest is written once."""

from __future__ import annotations

import pytest

from manifests.release.conditions import merged

BASE = ["a", "b", "c", "d"]


def test_lines_that_are_equal_in_all_renderings_have_no_condition() -> None:
    assert merged(BASE, [{".Values.x": BASE}]) == BASE


def test_a_line_of_one_answer_is_under_its_condition() -> None:
    found = merged(BASE, [{".Values.x": ["a", "b", "new", "c", "d"]}])

    assert found == ["a", "b", "{{- if .Values.x }}", "new", "{{- end }}", "c", "d"]


def test_a_line_that_goes_away_is_under_the_opposite() -> None:
    found = merged(BASE, [{".Values.x": ["a", "c", "d"]}])

    assert found == ["a", "{{- if not .Values.x }}", "b", "{{- end }}", "c", "d"]


def test_answers_that_change_the_same_line_are_branches_and_equal_ones_are_one() -> None:
    found = merged(
        BASE, [{"x": ["a", "1", "c", "d"], "y": ["a", "2", "c", "d"], "z": ["a", "1", "c", "d"]}]
    )

    assert found == [
        *("a", "{{- if or (x) (z) }}", "1", "{{- else if y }}", "2", "{{- else }}", "b"),
        *("{{- end }}", "c", "d"),
    ]


def test_two_choices_change_different_lines() -> None:
    found = merged(BASE, [{"x": ["1", "b", "c", "d"]}, {"y": ["a", "b", "c"]}])

    assert found == [
        *("{{- if x }}", "1", "{{- else }}", "a", "{{- end }}", "b", "c"),
        *("{{- if not y }}", "d", "{{- end }}"),
    ]


def test_two_choices_may_add_lines_at_the_same_place() -> None:
    found = merged(["a"], [{"x": ["a", "1"]}, {"y": ["a", "2"]}])

    assert found == ["a", "{{- if x }}", "1", "{{- end }}", "{{- if y }}", "2", "{{- end }}"]


def test_two_choices_that_change_the_same_line_are_refused() -> None:
    with pytest.raises(ValueError, match="two choices change the same lines"):
        merged(BASE, [{"x": ["a", "1", "c", "d"]}, {"y": ["a", "2", "2", "d"]}])
