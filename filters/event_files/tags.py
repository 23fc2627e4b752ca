"""Which tags in which directory a metric means.

| metric           | tag              | in files of            |
|------------------|------------------|------------------------|
| `accuracy`       | `accuracy`       | any directory          |
| `train/accuracy` | `train/accuracy` | any directory          |
| `train/accuracy` | `accuracy`       | directories whose path ends with `train` |

A tag that has the metric's whole name comes before one that has it by the directory: where one
record has both, the point of the former comes first. Tags are exact: `acc` does not mean the tag
`accuracy`, as it does in Katib.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple


class TaggedMetric(NamedTuple):
    """A metric that a tag means."""

    name: str
    is_whole: bool
    """The tag is the metric's whole name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricTags:
    """The tags that are metrics in the files of one directory."""

    by_tag: Mapping[bytes, tuple[TaggedMetric, ...]]
    """The metrics of each tag, in the order in which they were given."""
    occur: Callable[[bytes], object]
    """Whether any of the tags may be in these bytes."""

    @classmethod
    def of(cls, metrics: Iterable[str], directory: str) -> MetricTags:
        """Return the tags of these metrics in a directory's files."""
        by_tag: dict[bytes, tuple[TaggedMetric, ...]] = {}
        for metric in metrics:
            for tag in _tags(metric, directory.rstrip("/")):
                whole = tag == metric.encode()
                by_tag[tag] = (*by_tag.get(tag, ()), TaggedMetric(metric, whole))
        literals = b"|".join(re.escape(tag) for tag in by_tag)
        return cls(by_tag=by_tag, occur=re.compile(literals).search)


def _tags(metric: str, directory: str) -> Iterable[bytes]:
    """Return the tags that a metric means, its whole name first."""
    yield metric.encode()
    parent, slash, name = metric.rpartition("/")
    if slash and directory.endswith(parent):
        yield name.encode()
