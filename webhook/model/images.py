"""The command of an image, and how a pod's container states the same command."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageCommand:
    """What an image runs by default; both parts may be empty."""

    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()

    def in_a_pod(self, args: tuple[str, ...]) -> tuple[str, ...]:
        """Return the `command` that does the same in a container with these `args`.

        A container's `args` replace CMD, so they are not repeated here. Every `$` is doubled: the
        kubelet expands `$(VAR)` in a pod's command, but never in an image's.
        """
        words = self.entrypoint if args else (*self.entrypoint, *self.cmd)
        return tuple(literal(word) for word in words)


def literal(word: str) -> str:
    """Escape a word so that the kubelet does not expand it: `$$` stands for `$`."""
    return word.replace("$", "$$")
