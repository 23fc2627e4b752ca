"""Paths of volumes replaced in words, because mounts are not possible."""

from __future__ import annotations

import pytest

from runner.pods.bind_mounts import BindMount, unmentioned, with_sources

KATIB = BindMount(source="/state/v", target="/katib")
DEEPER = BindMount(source="/state/w", target="/katib/deep")


@pytest.mark.parametrize(
    ("word", "becomes"),
    [
        ("/katib/mnist.log", "/state/v/mnist.log"),
        ("--log=/katib/mnist.log", "--log=/state/v/mnist.log"),
        ("echo a > /katib/x; cat '/katib/x'", "echo a > /state/v/x; cat '/state/v/x'"),
        ("/katib", "/state/v"),
        ("/katib2/x", "/katib2/x"),
        ("/my/katib/x", "/my/katib/x"),
        ("katib/x", "katib/x"),
        ("/katib-data/x", "/katib-data/x"),
        ("/katib/deep/x:/katib/x", "/state/w/x:/state/v/x"),
    ],
)
def test_only_whole_names_are_written_anew(word: str, becomes: str) -> None:
    assert with_sources([word], [KATIB, DEEPER]) == (becomes,)


def test_a_place_that_no_word_names_cannot_be_led_elsewhere() -> None:
    assert unmentioned(["train", "--log=/katib2/x"], [KATIB]) == (KATIB,)
    assert unmentioned(["train", "--log=/katib/x"], [KATIB]) == ()
