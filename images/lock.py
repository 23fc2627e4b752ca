"""`make locks`: writes images/locks, the packages that each Dockerfile installs, with their hashes.

    python -m images.lock [NAME...]      for these alone, such as `collector` or `build`

pip chooses the packages by constraints.txt, for each Python and processor below, and reports the
hash of each wheel. The files have names, versions and hashes, and no address: any index that has
the same wheels will do.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ROOT / "images" / "locks"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PROCESSORS = ("x86_64", "aarch64")
_PLATFORMS = (*(f"manylinux_2_{minor}" for minor in range(36, 16, -1)), "manylinux2014")
"""Debian 12, the default base, has glibc 2.36."""
_DIGEST = "sha256"


class NoWheels(Exception):
    """A package has no wheel for some Python, or pip failed for another reason."""


@dataclass(slots=True)
class Lock:
    """The packages of one image."""

    hashes: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    """By name and version."""
    pythons: list[str] = field(default_factory=list)

    def text(self, name: str) -> str:
        """Return the file that `pip install --require-hashes` reads."""
        what = "what builds the package" if name == "build" else f"what the image {name} installs"
        lines = [
            f"# Written by `make locks`: {what}, from wheels alone.",
            f"# Python {', '.join(self.pythons)} on {' and '.join(PROCESSORS)}, with glibc.",
        ]
        for (package, version), hashes in sorted(self.hashes.items()):
            marked = (f"--hash={_DIGEST}:{digest}" for digest in sorted(hashes))
            lines.append(" \\\n    ".join((f"{package}=={version}", *marked)))
        return "\n".join((*lines, ""))


def requirements() -> Iterator[tuple[str, list[str]]]:
    """Yield each lock's name with its requirements: one for each program, and one for the build."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    yield "build", project["build-system"]["requires"]
    for dockerfile in sorted(ROOT.glob("Dockerfile.*")):
        name = dockerfile.suffix.removeprefix(".")
        yield name, project["dependency-groups"][name]


def lock_of(wanted: Sequence[str]) -> Lock:
    """Ask pip for each Python and processor.

    Raises:
        NoWheels: not even the first Python has all wheels.
    """
    lock = Lock()
    for python in PYTHONS:
        try:
            chosen = [one for arch in PROCESSORS for one in _chosen(wanted, python, arch)]
        except NoWheels:
            if python == PYTHONS[0]:
                raise
            continue
        lock.pythons.append(python)
        for name, version, digest in chosen:
            lock.hashes[name, version].add(digest)
    return lock


def _chosen(wanted: Sequence[str], python: str, arch: str) -> Iterator[tuple[str, str, str]]:
    """Yield name, version and hash of each package that pip would install."""
    command = (
        *(sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"),
        *("--report=-", "--only-binary=:all:", "--target=.build/none", "--implementation=cp"),
        f"--python-version={python}",
        *(f"--platform={platform}_{arch}" for platform in _PLATFORMS),
        "--constraint=constraints.txt",
        *wanted,
    )
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - pip
    if run.returncode:
        raise NoWheels(run.stderr)
    for entry in json.loads(run.stdout)["install"]:
        metadata = entry["metadata"]
        digest = entry["download_info"]["archive_info"]["hashes"][_DIGEST]
        yield metadata["name"].lower().replace("_", "-"), metadata["version"], digest


def main(names: Sequence[str]) -> int:
    """Write the files of these names, or all; return the exit status."""
    for name, wanted in requirements():
        if names and name not in names:
            continue
        try:
            lock = lock_of(wanted)
        except NoWheels as error:
            sys.stderr.write(f"images.lock: {name}: pip failed: {error}\n")
            return 1
        (LOCKS / f"{name}.txt").write_text(lock.text(name), encoding="utf-8")
        sys.stderr.write(f"{name}: {len(lock.hashes)} packages, Python {' '.join(lock.pythons)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
