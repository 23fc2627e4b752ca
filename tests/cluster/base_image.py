"""A Debian that holds Python, a shell, and what they are linked with: no apt, no perl, no texts."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

_WANTED = ("base-files", "coreutils", "dash", "libstdc++6", "netbase", "python3", "tzdata")
# Needed to install packages, never to run what is in them.
_NOT_FOLLOWED = {"debconf", "dpkg", "perl-base"}
_NOT_COPIED = re.compile(r"/usr/share/(doc|man|info|locale|lintian|bug)/|/gconv/|/pydoc_data/")
_MADE = ("etc/group", "etc/ld.so.cache", "etc/passwd", "etc/ssl/certs", "usr/bin/python")
_LINKS = ("bin", "lib", "lib64", "sbin")


def distil(debian: Path, small: Path) -> None:
    """Copy what is wanted from the root of a Debian into a new one."""
    small.mkdir()
    for name in _LINKS:
        if (debian / name).is_symlink():
            small.joinpath(str((debian / name).readlink())).mkdir(parents=True, exist_ok=True)
            (small / name).symlink_to((debian / name).readlink())
    paths = [path for package in _packages(debian) for path in _files(debian, package)]
    for path in (*sorted(paths), *_MADE):
        if not _NOT_COPIED.search(f"/{path}"):
            _copy(debian / path, small / path)
    for path, mode in (("tmp", 0o1777), ("var/tmp", 0o1777), ("proc", 0o755), ("sys", 0o755)):
        (small / path).mkdir(parents=True, exist_ok=True)
        (small / path).chmod(mode)


def _packages(debian: Path) -> set[str]:
    """Return the wanted packages and all that they depend on, of those that are installed."""
    status = (debian / "var/lib/dpkg/status").read_text()
    depends: dict[str, list[str]] = {}
    for entry in status.split("\n\n"):
        fields = dict(re.findall(r"^([\w-]+): (.*)$", entry, re.MULTILINE))
        if "Package" in fields:
            both = f"{fields.get('Depends', '')}, {fields.get('Pre-Depends', '')}"
            depends[fields["Package"]] = re.findall(r"(?:^|[,|]) ?([a-z0-9][a-z0-9.+-]+)", both)
    found: set[str] = set()
    wanted = list(_WANTED)
    while wanted:
        package = wanted.pop()
        if package in depends and package not in found | _NOT_FOLLOWED:
            found.add(package)
            wanted += depends[package]
    return found


def _files(debian: Path, package: str) -> list[str]:
    lists = (debian / "var/lib/dpkg/info").glob(f"{package}*.list")
    mine = [path for path in lists if path.stem.partition(":")[0] == package]
    return [line.lstrip("/") for path in mine for line in path.read_text().splitlines()]


def _copy(source: Path, target: Path) -> None:
    if source.is_dir() and not source.is_symlink():
        target.mkdir(parents=True, exist_ok=True)
        if str(source).endswith("etc/ssl/certs"):
            shutil.copytree(source, target, dirs_exist_ok=True)
    elif source.is_symlink() or source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() and not target.is_symlink():
            shutil.copy2(source, target, follow_symlinks=False)
