"""Devices in words, for messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runner.pods.pod_resources import AMD, CPU, NVIDIA

_NOUNS = {NVIDIA: "GPU", AMD: "GPU", CPU: "CPU"}


def in_words(counts: Mapping[str, int]) -> str:
    """Return counts of devices in words: `1 GPU and 2 CPUs`."""
    return " and ".join(_phrases(counts))


def _phrases(counts: Mapping[str, int]) -> Iterator[str]:
    for kind, count in counts.items():
        yield f"{count} {_NOUNS.get(kind, kind)}{'' if count == 1 else 's'}"


def wait_in_words(counts: Mapping[str, int]) -> str:
    """Return what a trial waits for: `waiting for a GPU`, `waiting for 2 CPUs`."""
    words = " and ".join(
        f"a {_NOUNS.get(kind, kind)}" if count == 1 else phrase
        for (kind, count), phrase in zip(counts.items(), _phrases(counts), strict=True)
    )
    return f"waiting for {words}"
