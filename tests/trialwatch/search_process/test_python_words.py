"""Messages of the command line, in the words of a call."""

from __future__ import annotations

import pytest

from trialwatch.search_process.python_words import in_python

WORDS = ("tune", "--minimize=loss", "--param=lr=1..2", "--", "sh", "{lr}")
LINE = "trialwatch tune --fresh --minimize=loss --param=lr=1..2 -- sh '{lr}'"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("--param lr=2..1: swapped: write --param lr=1..2", '{"lr": "2..1"}: swapped: write {"lr": "1..2"}'),
        ("--trials 0 is too small: use a number from 1", "trials 0 is too small: use a number from 1"),
        ("--param lr is not used", 'the parameter "lr" is not used'),
        ("{a} in the command has no --param: add --param a=SPACE, such as", '{a} in the command is not in the space: add {"a": "SPACE"}, such as'),
        ("it prints\n  loss 1\nwrite\n  trialwatch tune --minimize loss --param=lr=1..2 -- sh '{lr}'", 'it prints\n  loss 1\nwrite minimize="loss"'),
        (f"  to start anew: {LINE}\n  to delete", "  to start anew: trialwatch.tune(..., fresh=True)\n  to delete"),
        ("--fresh and --retry-failed exclude each other", "fresh=True and retry_failed=True exclude each other"),
        ("mend it, then write the same line again; the output", "mend it, then call trialwatch.tune again; the output"),
        ("write --lr={lr}", "write --lr={lr}"),
    ],
)  # fmt: skip
def test_flags_become_arguments(text: str, said: str) -> None:
    assert in_python(text, WORDS) == said
