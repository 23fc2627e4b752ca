"""However long and odd an output is, its metrics are found with bounded work, counted in calls."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest

from tests.call_counts import calls_of
from trialwatch.tuning import candidates as candidates_module
from trialwatch.tuning import output_sample
from trialwatch.tuning.candidates import candidates
from trialwatch.tuning.output_sample import OutputSample

PART = 1 << 12
RANDOM = random.Random(1)


def word() -> str:
    return "".join(RANDOM.choice("abcdefghijkl") for _ in range(RANDOM.randint(1, 9)))


def numbers(count: int) -> str:
    return ",".join(f"{RANDOM.random():.3f}" for _ in range(count))


ODD: dict[str, Callable[[], str]] = {
    "names that differ": lambda: f"{word()}: {RANDOM.random():.3f}\n",
    "names with numbers": lambda: f"file{RANDOM.randint(0, 10**9)}.dat: 1.5\n",
    "one long line": lambda: f"{word()}={RANDOM.random():.2f} ",
    "many columns": lambda: ",".join(word() for _ in range(50)) + "\n" + numbers(50) + "\n",
    "prose": lambda: " ".join(word() for _ in range(8)) + f" is {RANDOM.random():.3f}.\n",
    "headers": lambda: f"{word()} {word()} {word()}\n1 2 3\n",
    "metrics": lambda: f"loss={RANDOM.random():.3f} acc={RANDOM.random():.3f}\n",
    "letters": lambda: "a ",
    "brackets": lambda: "a[",
}


def output_of(line: Callable[[], str], length: int) -> bytes:
    text = bytearray()
    while len(text) < length:
        text += line().encode()
    return bytes(text[:length])


@pytest.mark.parametrize("line", ODD.values(), ids=ODD.keys())
def test_the_work_does_not_grow_with_a_long_output(
    line: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output_sample, "PART", PART)
    monkeypatch.setattr(candidates_module, "MOST_NAMES", 5)
    short, long = output_of(line, 2 * PART), output_of(line, 32 * PART)

    assert work_on(long) < 1.5 * work_on(short) + 100_000


def work_on(output: bytes) -> int:
    re.purge()  # so that the patterns of all names are compiled again
    return calls_of(lambda: candidates(output))


@pytest.mark.parametrize("piece", [1, 7, 1000, 10**6])
def test_a_sample_has_whole_lines_of_start_and_end_however_it_arrives(piece: int) -> None:
    lines = [f"line {i}\n".encode() for i in range(2000)]
    output = b"".join(lines)
    sample = OutputSample(100)
    for start in range(0, len(output), piece):
        sample.feed(output[start : start + piece])

    kept = sample.text.splitlines(keepends=True)
    assert sample.length == len(output)
    assert kept == [*lines[:13], *lines[-9:]]


def test_a_short_output_is_its_own_sample() -> None:
    sample = OutputSample(10)
    sample.feed(b"a" * 15 + b"\nend")

    assert sample.text == b"a" * 15 + b"\nend"
