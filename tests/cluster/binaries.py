"""Kubernetes' own programs: built from their Go modules, kept by version in the user's cache.

`modules/kubernetes.toml` pins the releases of Kubernetes, `modules/coredns` the cluster's DNS.
`TRIALWATCH_KUBERNETES=1.36` chooses the minor; without it, the newest.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cluster.releases import MODULES, Release, releases, write_module

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VARIABLE = "TRIALWATCH_KUBERNETES"
# The programs are stripped (`-s -w`), so the compiler need not describe them for a debugger.
_FLAGS = ("build", "-trimpath", "-buildvcs=false", "-gcflags=all=-dwarf=false")
# The compiler collects its garbage less often: a fifth less work together with the flag above, for
# up to 2 GiB of memory.
_ENVIRONMENT = {"CGO_ENABLED": "0", "GOGC": "400"}
_STAMP = "k8s.io/component-base/version"
# Where Go's own installer puts it; a root's PATH may not have it.
_GO = Path("/usr/local/go/bin/go")


class MissingProgramError(Exception):
    """A program of the machine is not there; the message says which package brings it."""


def cache() -> Path:
    """Return the folder of all that is built once: programs, base images."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "trialwatch"


def programs() -> Path:
    """Return the folder with Kubernetes' programs, etcd and CoreDNS; build what is missing."""
    known = releases()
    minor = os.environ.get(VARIABLE) or [*known][-1]
    if minor not in known:
        raise MissingProgramError(f"{VARIABLE}={minor}: there are only {', '.join(known)}")
    folder = kubernetes(known[minor])
    coredns = _coredns()
    # etcd's main package is called after its folder, `server`.
    for name, target in (("etcd", folder / "server"), ("coredns", coredns / "coredns")):
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    return folder


def kubernetes(release: Release) -> Path:
    """Return the folder of a release's programs; its name changes with all that is pinned."""

    def build(programs: Path) -> None:
        with tempfile.TemporaryDirectory(dir=programs.parent) as module:
            write_module(release, Path(module), go)
            build_module(Path(module), "tool", _ldflags(release.version), programs)

    return kept(f"k8s-{release.version}-{release.digest[:8]}", build)


def _coredns() -> Path:
    """Return the folder of CoreDNS; its name changes with all that is pinned."""
    module = MODULES / "coredns"
    sources = sorted(path for path in module.iterdir() if path.suffix in {".go", ".mod", ".sum"})
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    return kept(
        f"coredns-{digest[:8]}", lambda programs: build_module(module, ".", "-s -w", programs)
    )


def _ldflags(version: str) -> str:
    major, minor = version.removeprefix("v").split(".")[:2]
    stamps = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
    return " ".join(["-s -w", *(f"-X {_STAMP}.{name}={value}" for name, value in stamps.items())])


def kept(name: str, build: Callable[[Path], None]) -> Path:
    """Return a folder of the cache; the first time, build what is in it."""
    folder = cache() / name
    with locked(folder):
        if not folder.is_dir():
            note(f"building {name} (once; some minutes)")
            partial = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=folder.parent))
            try:
                build(partial)
                partial.chmod(0o755)
                partial.rename(folder)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
    return folder


def build_module(module: Path, packages: str, ldflags: str, into: Path) -> None:
    """Build a module's programs into a folder, or its one program as a file."""
    output = f"{into}/" if into.is_dir() else str(into)
    go([*_FLAGS, "-ldflags", ldflags, "-o", output, packages], module)


def go(arguments: list[str], folder: Path) -> str:
    """Run `go` in a folder, beside what else the machine does; return what it prints."""
    return run(["nice", _go(), *arguments], cwd=folder, environ=_ENVIRONMENT)


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
