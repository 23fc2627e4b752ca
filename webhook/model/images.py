"""The command of an image: who has to be asked for it, and what it becomes in a pod."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageCommand:
    """What an image runs by itself; both may be empty."""

    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()

    def in_a_pod(self, args: tuple[str, ...]) -> tuple[str, ...]:
        """Return the `command` that does the same in a container with these `args`.

        A container's `args` stand in place of CMD; they are not repeated here. Every `$` is
        doubled: the kubelet expands `$(VAR)` in a pod's command, but never in an image's.
        """
        words = self.entrypoint if args else (*self.entrypoint, *self.cmd)
        return tuple(literal(word) for word in words)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageWanted:
    """Whose command is needed, and which secrets may open the registry."""

    image: str
    namespace: str
    pull_secrets: tuple[str, ...] = ()
    """Names, of the pod's own `imagePullSecrets`."""
    architecture: str = ""
    """Where the pod chooses its nodes by `kubernetes.io/arch`; else empty."""


@dataclass(frozen=True, slots=True)
class ImageUnknown:
    """Nobody told the image's command, for this cause."""

    cause: str


def literal(word: str) -> str:
    """Write a word so that the kubelet leaves it as it is: `$$` is its way to say `$`."""
    return word.replace("$", "$$")
