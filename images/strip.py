"""Removes from an image what its program does not need: pip and its like, and all shells.

    python strip.py [ROOT]

The last stage of a Dockerfile runs it as root; it removes itself too. A program that is taken over
finds no shell to start, and nothing that installs packages. It needs Python alone: the base may
have neither pip nor a shell.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

_INSTALLERS = ("pip", "setuptools", "wheel", "pkg_resources", "_distutils_hack", "ensurepip")
_PROGRAMS = ("pip*", "wheel", "wheel3*", "easy_install*", "ensurepip")
_SHELLS = ("sh", "ash", "bash", "dash", "ksh", "rbash", "zsh", "busybox")
_PROGRAM_FOLDERS = ("bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin")
_PACKAGE_FOLDERS = ("lib/python3*", "usr/lib/python3*", "usr/local/lib/python3*")


def superfluous(root: Path) -> Iterator[Path]:
    """Yield the files and folders to remove, below the root of an image."""
    for programs in _PROGRAM_FOLDERS:
        for pattern in (*_PROGRAMS, *_SHELLS):
            yield from root.joinpath(programs).glob(pattern)
    for packages in _PACKAGE_FOLDERS:
        for folder in root.glob(packages):
            for home in (folder, folder / "site-packages", folder / "dist-packages"):
                for name in _INSTALLERS:
                    yield from home.glob(name)
                    yield from home.glob(f"{name}-*.dist-info")
                    yield from home.glob(f"{name}-*.egg-info")
                yield from home.glob("distutils-precedence.pth")


def strip(root: Path) -> None:
    """Remove them. A link is removed, not what it leads to."""
    for path in list(superfluous(root)):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)  # /bin may be a link to /usr/bin


if __name__ == "__main__":
    strip(Path(sys.argv[1] if sys.argv[1:] else "/"))
    Path(__file__).unlink()
