"""Kubernetes' own programs, built from their Go modules, kept by version outside of the clone.

`modules/kubernetes-MINOR/go.mod` pins one release with its tools, `modules/coredns` the cluster's
DNS. `TRIALWATCH_KUBERNETES=1.36` chooses the minor; without it, the newest.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULES = Path(__file__).parent / "modules"
VARIABLE = "TRIALWATCH_KUBERNETES"
_FLAGS = ("build", "-p", "2", "-trimpath", "-buildvcs=false")
_STAMP = "k8s.io/component-base/version"
# Where Go's own installer puts it; a root's PATH may not have it.
_GO = Path("/usr/local/go/bin/go")


class MissingProgramError(Exception):
    """A program of the machine is not there; the message says which package brings it."""


def cache() -> Path:
    """Return the folder of all that is built once: programs, base images."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "trialwatch"


def minors() -> list[str]:
    """Return the minors of Kubernetes that there is a module for, oldest first."""
    folders = (path.name.removeprefix("kubernetes-") for path in MODULES.glob("kubernetes-*"))
    return sorted(folders, key=lambda minor: [int(part) for part in minor.split(".")])


def programs() -> Path:
    """Return the folder with Kubernetes' programs, etcd and CoreDNS; build what is missing."""
    minor = os.environ.get(VARIABLE) or minors()[-1]
    module = MODULES / f"kubernetes-{minor}"
    if not module.is_dir():
        raise MissingProgramError(f"{VARIABLE}={minor}: there are only {', '.join(minors())}")
    version = version_of(module)
    folder = _built(module, f"k8s-{version}", "tool", _ldflags(version))
    coredns = _built(MODULES / "coredns", "coredns", ".", "-s -w")
    # etcd's main package is called after its folder, `server`.
    for name, target in (("etcd", folder / "server"), ("coredns", coredns / "coredns")):
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    return folder


def version_of(module: Path) -> str:
    """Return the release that a module pins, such as `v1.37.2`."""
    found = re.search(r"k8s\.io/kubernetes (v[\d.]+)", (module / "go.mod").read_text())
    assert found, f"{module / 'go.mod'} requires no k8s.io/kubernetes"
    return found[1]


def _ldflags(version: str) -> str:
    major, minor = version.removeprefix("v").split(".")[:2]
    stamps = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
    return " ".join(["-s -w", *(f"-X {_STAMP}.{name}={value}" for name, value in stamps.items())])


def _built(module: Path, name: str, packages: str, ldflags: str) -> Path:
    """Return the folder of a module's programs; its name changes with whatever is pinned."""
    sources = sorted(path for path in module.iterdir() if path.suffix in {".go", ".mod", ".sum"})
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    folder = cache() / f"{name}-{digest[:8]}"
    with locked(folder):
        if not folder.is_dir():
            _build(module, packages, ldflags, folder)
    return folder


def _build(module: Path, packages: str, ldflags: str, folder: Path) -> None:
    note(f"building {folder.name} (once; some minutes)")
    partial = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    try:
        run(
            ["nice", _go(), *_FLAGS, "-ldflags", ldflags, "-o", f"{partial}/", packages],
            cwd=module,
            environ={"CGO_ENABLED": "0"},
        )
        partial.chmod(0o755)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _go() -> str:
    found = shutil.which("go") or (str(_GO) if _GO.exists() else None)
    if not found:
        raise MissingProgramError("Go is needed to build Kubernetes: install it from go.dev/dl")
    return found


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep others from making `path` at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(
    argv: list[str], *, cwd: Path | None = None, environ: Mapping[str, str] | None = None
) -> str:
    """Run a program of the machine; return what it says, or fail with what it said."""
    done = subprocess.run(
        argv,
        cwd=cwd,
        env={**os.environ, **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-60:])
        raise RuntimeError(f"{' '.join(argv)}\nended with {done.returncode}:\n{said}")
    return done.stdout


def note(words: str) -> None:
    """Tell a person what takes so long."""
    sys.stderr.write(f"cluster: {words}\n")
    sys.stderr.flush()
