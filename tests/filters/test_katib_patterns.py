"""The two patterns that Katib's users have: the default, and the one of Katib's File example."""

from __future__ import annotations

import pytest

from filters.extractor import Extractor, extraction_spec

KATIB_DEFAULT = r"([\w|-]+)\s*=\s*([+-]?\d*(\.\d+)?([Ee][+-]?\d+)?)"
SEEDS = r"{metricName: ([\w|-]+), metricValue: ((-?\d+)(\.\d+)?)}"


def points(line: str, metrics: list[str], pattern: str) -> list[tuple[str, str]]:
    extractor = Extractor(extraction_spec(metrics, patterns=[pattern]))
    return [(p.name, p.value) for p in extractor.feed(line.encode()) + extractor.finish()]


@pytest.mark.parametrize(
    ("line", "metrics", "expected"),
    [
        ("accuracy=0.8 status=ok", ["accuracy"], [("accuracy", "0.8")]),
        ("accuracy=0.8 status=ok", ["accuracy", "status"], [("accuracy", "0.8"), ("status", "")]),
        ("loss=nan", ["loss"], [("loss", "")]),
        ("loss=inf", ["loss"], [("loss", "")]),
        ("acc==3", ["acc"], [("acc", "")]),
        ("loss=1.", ["loss"], [("loss", "1")]),
        ("loss=1,234", ["loss"], [("loss", "1")]),
        ("x = -", ["x"], [("x", "-")]),
        ("loss: 0.3", ["loss"], []),
        ("a|b-c=+.5", ["a|b-c"], [("a|b-c", "+.5")]),
        ("loss=0.3", ["loss"], [("loss", "0.3")]),
        ("accuracy=.98", ["accuracy"], [("accuracy", ".98")]),
        ("Score=-7.53e-05", ["Score"], [("Score", "-7.53e-05")]),
        ("Score=1E0", ["Score"], [("Score", "1E0")]),
        ("Score=1.23E10", ["Score"], [("Score", "1.23E10")]),
        ("val/loss=0.3", ["loss"], [("loss", "0.3")]),
    ],
)
def test_katibs_default_pattern_gives_what_it_gave_in_katib(
    line: str, metrics: list[str], expected: list[tuple[str, str]]
) -> None:
    assert points(line, metrics, KATIB_DEFAULT) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{metricName: loss, metricValue: 0.25}", [("loss", "0.25")]),
        ("{metricName: loss, metricValue: -3}", [("loss", "-3")]),
        (
            "I {metricName: loss, metricValue: 1} {metricName: acc, metricValue: 0.5}",
            [("loss", "1"), ("acc", "0.5")],
        ),
        ("{metricName: loss, metricValue: 1e-3}", []),
        ("{metricName: other, metricValue: 1}", []),
        ("loss=0.25", []),
    ],
)
def test_the_pattern_of_katibs_file_example(line: str, expected: list[tuple[str, str]]) -> None:
    assert points(line, ["loss", "acc"], SEEDS) == expected


@pytest.mark.parametrize(
    ("line", "stamp"),
    [
        ("2026-11-23T10:00:00Z loss=1", "2026-11-23T10:00:00Z"),
        ("2026-11-23T10:00:00.123456789+02:00 loss=1", "2026-11-23T10:00:00.123456789+02:00"),
        ("2024-02-29T10:00:00Z loss=1", "2024-02-29T10:00:00Z"),
        ("2026-02-29T10:00:00Z loss=1", None),
        ("2026-11-23t10:00:00z loss=1", None),
        ("2026-11-23T24:00:00Z loss=1", None),
        ("2026-11-23T10:00:00 loss=1", None),
        ("2026-11-23 10:00:00Z loss=1", None),
        (" 2026-11-23T10:00:00Z loss=1", None),
        ("2026-11-23T10:00:00Z,loss=1", None),
        ("loss=1 2026-11-23T10:00:00Z", None),
    ],
)
@pytest.mark.parametrize("patterns", [[], [KATIB_DEFAULT]], ids=["by name", "by pattern"])
def test_the_time_stamp_is_the_token_before_the_first_space(
    patterns: list[str], line: str, stamp: str | None
) -> None:
    extractor = Extractor(extraction_spec(["loss"], patterns=patterns))
    assert [point.timestamp for point in extractor.feed(line.encode() + b"\n")] == [stamp]
