"""A volume that a trainer writes to, beside the private files of the sidecar."""

from __future__ import annotations

from pathlib import Path

SECRET = b"loss=31337 the sidecar's private file\n"


class HostileVolume:
    """`volume` is the trainer's; `private` is a file that only the sidecar can read."""

    def __init__(self, folder: Path) -> None:
        self.volume = folder / "volume"
        self.volume.mkdir()
        self.private = folder / "sidecar" / "token"
        self.private.parent.mkdir()
        self.private.write_bytes(SECRET)

    @property
    def untouched(self) -> bool:
        """Whether the private file is as it was."""
        return self.private.read_bytes() == SECRET
