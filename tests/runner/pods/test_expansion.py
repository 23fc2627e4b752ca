"""`$(VAR)`, as the kubelet reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.pods.expansion import expand
from webhook.model.images import literal

VARIABLES = {"A": "a", "B": "$(A)", "": "empty", "x.y": "dotted"}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("$(A)", "a"),
        ("--lr=$(A),$(A)", "--lr=a,a"),
        ("$(NONE)", "$(NONE)"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$a"),
        ("$$", "$"),
        ("$", "$"),
        ("$A", "$A"),
        ("${A}", "${A}"),
        ("$(A", "$(A"),
        ("$(B)", "$(A)"),  # once, not again and again
        ("$(x.y)", "dotted"),
        ("$()", "empty"),
        ("costs 5$", "costs 5$"),
    ],
)
def test_it_reads_what_the_kubelet_reads(written: str, read: str) -> None:
    assert expand(written, VARIABLES) == read


@given(st.text(alphabet="$()AB x", max_size=20))
def test_what_the_webhook_writes_literally_stays_as_it_is(text: str) -> None:
    assert expand(literal(text), VARIABLES) == text
