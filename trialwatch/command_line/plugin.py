"""`kubectl trialwatch ...`: kubectl starts `kubectl-trialwatch` with all words behind it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

OWN_NAME: Final = "trialwatch"
PLUGIN: Final = "kubectl trialwatch"
"""What a user of the plugin writes in place of `trialwatch`."""
_WITH_VALUE: Final = ("-n", "--namespace", "--context", "--kubeconfig")
_WITHOUT_VALUE: Final = ("-A", "--all-namespaces")


def command_first(words: Sequence[str], commands: Collection[str]) -> list[str]:
    """Return the words with kubectl's flags behind the command, where our parsers want them.

    `-n team get trials` becomes `get -n team trials`. Other words stay as they are.
    """
    end = 0
    while end < len(words) and (taken := _length_of_flag(words[end])):
        end += taken
    if not 0 < end < len(words) or words[end] not in commands:
        return list(words)
    return [words[end], *words[:end], *words[end + 1 :]]


def _length_of_flag(word: str) -> int:
    """Return how many words a flag of kubectl has, with its value; 0 if it is another word."""
    name, has_value, _ = word.partition("=")
    if name in _WITH_VALUE:
        return 1 if has_value else 2
    is_joined = word.startswith("-n") and len(word) > len("-n")
    return 1 if word in _WITHOUT_VALUE or is_joined else 0
