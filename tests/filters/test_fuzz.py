"""Random logs, metrics and patterns for a limited time: nothing raises, and no point is lost.

TRIALWATCH_FUZZ_SECONDS sets the time; the seed is printed, TRIALWATCH_SEED sets it.
"""

from __future__ import annotations

import os
import random
import time

from api.errors import UserError
from api.types import LogFormat
from filters.extractor import Extractor, extraction_spec

PARTS = [
    "loss", "val_loss", "acc", "=", ":", " ", "\t", "0.5", "nan", "1,234", "-", "e", ".", "'", '"', "{", "}", "[", "]",
    "(", ")", "|", "│", "\n", "\r", "\r\n", "\x1b[0m", "\x1b]", "\x00", "é", "\ufffd", "%", "tensor(", "np.float64(",
    "  ", "epoch", "time", "2026-11-23T00:00:00Z ", '{"loss": ', "}", "null", "\\", "*", "+", "?", "^", "$", "\\b",
    "(?=", "(?P<name>", "\\d", "\\w", "[^", "{2,}", "a",
]  # fmt: skip


def stream_of(rng: random.Random) -> bytes:
    text = "".join(rng.choices(PARTS, k=rng.randrange(200))).encode()
    noise = bytearray(text)
    for _ in range(rng.randrange(4)):
        noise[rng.randrange(len(noise) + 1) : 0] = rng.randbytes(1)
    return bytes(noise)


def test_random_logs_give_the_same_points_in_one_piece_and_in_many() -> None:
    seed = int(os.environ.get("TRIALWATCH_SEED", time.time_ns()))
    print(f"TRIALWATCH_SEED={seed}")  # noqa: T201 - pytest shows it where the test fails
    rng = random.Random(seed)
    runs = 0
    end = time.monotonic() + float(os.environ.get("TRIALWATCH_FUZZ_SECONDS", "5"))
    while time.monotonic() < end:
        metrics = rng.sample(["loss", "val_loss", "acc", "é", "a", "lo", "time"], rng.randint(1, 4))
        patterns = [
            "".join(rng.choices(PARTS, k=rng.randrange(12))) for _ in range(rng.randrange(3))
        ]
        try:
            wanted = extraction_spec(metrics, rng.choice(tuple(LogFormat)), patterns)
        except UserError:
            continue
        stream = stream_of(rng)
        whole, parts = Extractor(wanted), Extractor(wanted)
        expected = whole.feed(stream) + whole.finish()
        found = []
        rest = stream
        while rest:
            size = rng.randint(1, 40)
            found += parts.feed(rest[:size])
            rest = rest[size:]
        assert found + parts.finish() == expected, (seed, runs)
        assert parts.counters == whole.counters, (seed, runs)
        runs += 1
    assert runs > 0
