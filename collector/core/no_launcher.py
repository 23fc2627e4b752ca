"""Messages to a launcher where there is none."""

from __future__ import annotations


class NoLauncher:
    """The messages of `collector.core.ports.Trainer`; each returns False: no launcher reads it."""

    def alive(self, attempt: int) -> bool:
        """Return False."""
        del attempt
        return False

    def following(self, attempt: int) -> bool:
        """Return False."""
        del attempt
        return False

    def stop(self, attempt: int) -> bool:
        """Return False."""
        del attempt
        return False

    def delivered(self, attempt: int, gave_up: str | None) -> bool:
        """Return False."""
        del attempt, gave_up
        return False
