"""The score of the corpus: Katib's default filter as Katib runs it, and how values compare."""

from __future__ import annotations

import pytest

from bench.corpus import katibs, ours, outcome


@pytest.mark.parametrize(
    ("line", "values"),
    [
        (b"accuracy=0.8 loss=ok", ("0.8", "")),
        (b"accuracy==3 loss = 1,234", ("", "1")),
        (b"accuracy: 0.3 loss=-", ("-",)),
        (b"accuracy=+.5\rloss=1E0", ("+.5", "1E0")),
    ],
)
def test_katibs_filter_finds_what_katib_finds(line: bytes, values: tuple[str, ...]) -> None:
    found = katibs(line, ["accuracy", "loss"])
    assert found["accuracy"] + found["loss"] == values


def test_our_matcher_is_asked_for_all_names_at_once() -> None:
    assert ours(b"val_loss=0.5 loss=0.25\n", ["loss", "val_loss"]) == {
        "loss": ("0.25",),
        "val_loss": ("0.5",),
    }


@pytest.mark.parametrize(
    ("found", "true", "result"),
    [
        (("1", "2"), ("1", "2"), "right"),
        ((), (), "right"),
        ((), ("1",), "silent"),
        (("2",), ("1", "2", "3"), "in part"),
        (("2", "1"), ("1", "2"), "wrong"),
        (("1",), (), "wrong"),
    ],
)
def test_values_are_right_in_part_silent_or_wrong(
    found: tuple[str, ...], true: tuple[str, ...], result: str
) -> None:
    assert outcome(found, true) == result
