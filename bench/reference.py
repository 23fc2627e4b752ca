"""The reference R: the plain loop, as a first simple program would do it."""

from __future__ import annotations

import re
from pathlib import Path

import re2

KATIB_DEFAULT = rb"([\w|-]+)\s*=\s*([+-]?\d*(\.\d+)?([Ee][+-]?\d+)?)"
SEEDS = r"{metricName: ([\w|-]+), metricValue: ((-?\d+)(\.\d+)?)}"


def plain_loop(path: Path, names: list[bytes]) -> int:
    """Return the number of matches of Katib's default pattern that name a metric."""
    pattern = re.compile(KATIB_DEFAULT)
    wanted = set(names)
    count = 0
    for line in path.read_bytes().split(b"\n"):
        if any(m in line for m in names):
            for match in re.finditer(pattern, line):
                if match.group(1) in wanted:
                    count += 1
    return count


def plain_loop_re2(path: Path, names: list[bytes]) -> int:
    """Return the same count for the pattern of Katib's File example, with google-re2's own API."""
    pattern = re2.compile(SEEDS)
    wanted = set(names)
    count = 0
    for line in path.read_bytes().split(b"\n"):
        if any(m in line for m in names):
            for match in pattern.finditer(line):
                if match.group(1) in wanted:
                    count += 1
    return count
