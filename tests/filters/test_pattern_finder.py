"""A user's pattern has RE2's meaning, iterated as Go iterates."""

from __future__ import annotations

import os
import re

import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.extractor import Extractor, extraction_spec

METRICS = ("loss", "a", "b-c", "é")
PATTERNS = [
    r"([\w|-]+)\s*=\s*([+-]?\d*(\.\d+)?([Ee][+-]?\d+)?)",
    r"{metricName: ([\w|-]+), metricValue: ((-?\d+)(\.\d+)?)}",
    r"^(\w+)=(.*)$", r"\A(a)(.)", r"(loss)(.*)\z", r"\b(a)\b(.?)", r"\B(a)(\B.)",
    r"((a)|(b-c)|loss|)(=?)", r"(a*)(b?)", r"(?P<value>\d+)@(?P<name>\w+)", r"(?m)^(a)(=\d*)?$",
    r"(?i)(LOSS)=(\S*)", r"(?U)(\w+)=(\d+)", r"(?s)(a)(.)", r"(\pL+)=(\pN*)", r"([^=]+)=([^=]*)",
    r"((((a)*)*)*)(x?)", r"()()", r"(|a)+(b|)", r"(é|a)=(\x{FFFD}*)", r"(a)(\x00)", r"(.)(.)",
]  # fmt: skip
ALPHABET = [
    b"loss", b"a", b"b-c", b"\xc3\xa9", b"=", b"1", b"0.5", b" ", b"\x00", b"\xff", b"\xed\xa0\x80",
    b"\xf0\x9f", b"x", b"@", b"\n", b"{metricName: loss, metricValue: 0.5}", b"E", b"-", b"\t", b"\x85",
    b"\xc2\x85", b"\x1c", b"\r", b"\r\n",
]  # fmt: skip
GO_BLANKS = "".join(map(chr, [*range(9, 14), 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B)])) + (
    "\u2028\u2029\u202f\u205f\u3000"
)


def as_go_reads(line: bytes) -> str:
    """Decode as Go's `range` over a string does: each byte of an invalid sequence is U+FFFD."""
    text, position = "", 0
    while position < len(line):
        for width in (1, 2, 3, 4):
            try:
                text += line[position : position + width].decode()
            except UnicodeDecodeError:
                continue
            position += len(line[position : position + width])
            break
        else:
            text += "\ufffd"
            position += 1
    return text


def find_all(pattern: str, text: bytes) -> list[tuple[str, str]]:
    """Go's FindAllSubmatch, written from its documentation over single searches."""
    compiled = re2.compile(pattern)
    name, value = (compiled.groupindex.get(group) for group in ("name", "value"))
    pairs = []
    position, last_end = 0, -1
    while position <= len(text):
        match = compiled.search(text, position)
        if match is None:
            break
        start, end = match.span()
        if end == position:
            accepted = start != last_end
            position += len(text[position:].decode()[:1].encode()) or 1
        else:
            accepted, position = True, end
        last_end = end
        if accepted:
            pairs.append((trimmed(match[name or 1]), trimmed(match[value or 2])))
    return pairs


def trimmed(group: bytes | None) -> str:
    return (group or b"").decode().strip(GO_BLANKS)


@settings(max_examples=max(4_000, settings().max_examples))
@given(
    stream=st.lists(st.one_of(st.sampled_from(ALPHABET), st.binary(max_size=2)), max_size=14).map(
        lambda parts: b"".join(parts).replace(b"\x1b", b"")
    ),
    pattern=st.sampled_from(PATTERNS),
    chunk=st.integers(1, 30),
)
def test_points_equal_an_independent_loop_of_single_searches(
    stream: bytes, pattern: str, chunk: int
) -> None:
    expected = []
    for number, line in enumerate(re.split(rb"\r\n|\r|\n", stream), 1):
        text = as_go_reads(line)
        if any(metric in text for metric in METRICS):
            pairs = find_all(pattern, text.encode())
            expected += [(name, value, number) for name, value in pairs if name in METRICS]
    extractor = Extractor(extraction_spec(METRICS, patterns=[pattern]))
    found = [
        point
        for start in range(0, len(stream), chunk)
        for point in extractor.feed(stream[start : start + chunk])
    ]
    found += extractor.finish()
    assert [(point.name, point.value, point.line) for point in found] == expected


def test_patterns_take_turns_on_each_line() -> None:
    extractor = Extractor(extraction_spec(["loss", "a"], patterns=[r"(a)=(\d)", r"(loss)=(\d)"]))
    found = extractor.feed(b"loss=1 a=2\na=3 loss=4\n")
    assert [point.value for point in found] == ["2", "1", "3", "4"]


def test_the_variable_for_more_examples_has_an_effect() -> None:
    asked = os.environ.get("TRIALWATCH_EXAMPLES")
    if asked:
        assert settings().max_examples == int(asked)
