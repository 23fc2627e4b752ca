"""The releases of Kubernetes whose programs are built, and the Go module that builds each.

A release's module follows from the release alone, so it is made when it is needed: Kubernetes' own
go.mod names its staging repositories, its Go and its etcd, and `go mod tidy` adds all that they
require. `modules/kubernetes.toml` pins the result by one digest over go.mod and go.sum, which is
every module's version and hash. So the hashes stay pinned where Go's checksum database is not
asked (GONOSUMDB, GOFLAGS), and nothing is built of another module than the one that was reviewed.

    python -m tests.cluster.releases v1.38.0     makes a module, and prints its row
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).parent / "modules"
PROGRAMS = (
    "go.etcd.io/etcd/server/v3",
    *(
        f"k8s.io/kubernetes/cmd/{name}"
        for name in (
            "kube-apiserver",
            "kube-controller-manager",
            "kube-proxy",
            "kube-scheduler",
            "kubectl",
            "kubelet",
        )
    ),
)
_KUBERNETES = "k8s.io/kubernetes"
_ETCD = "go.etcd.io/etcd/server/v3"

# Runs `go` with arguments in a folder; returns what it prints.
Go = Callable[[list[str], Path], str]


class ModuleDigestError(Exception):
    """The module that Go made is not the pinned one; the message says what to compare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release such as v1.37.2, and the SHA-256 of its go.mod followed by its go.sum."""

    version: str
    digest: str


def releases() -> dict[str, Release]:
    """Return the pinned releases by their minor (`1.37`), oldest first."""
    rows = tomllib.loads((MODULES / "kubernetes.toml").read_text(encoding="utf-8"))
    ordered = sorted(rows, key=lambda minor: [int(part) for part in minor.split(".")])
    return {minor: Release(**rows[minor]) for minor in ordered}


def write_module(release: Release, folder: Path, go: Go) -> None:
    """Write the go.mod and go.sum of a release into an empty folder.

    Raises:
        ModuleDigestError: They are not the pinned ones.
    """
    made = make_module(release.version, folder, go)
    if made != release.digest:
        raise ModuleDigestError(
            f"Kubernetes {release.version}: go.mod and go.sum have the digest {made}, but"
            f" {MODULES / 'kubernetes.toml'} pins {release.digest}. Either the hash or the version"
            f" of a module has changed, or {go(['version'], folder).strip()} writes them otherwise."
            f" Compare with what another machine makes: `python -m tests.cluster.releases"
            f" {release.version}`"
        )


def make_module(version: str, folder: Path, go: Go) -> str:
    """Write go.mod and go.sum of any release into an empty folder; return their digest."""
    wanted = json.loads(go(["mod", "download", "-json", f"{_KUBERNETES}@{version}"], folder))
    kubernetes = Path(wanted["GoMod"]).read_text(encoding="utf-8")
    (folder / "go.mod").write_text(module_text(version, kubernetes), encoding="utf-8")
    go(["mod", "tidy"], folder)
    parts = [(folder / name).read_bytes() for name in ("go.mod", "go.sum")]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def module_text(version: str, kubernetes: str) -> str:
    """Return the go.mod of a release before `go mod tidy`, from the go.mod of Kubernetes itself.

    Kubernetes replaces its staging repositories by folders of its own. Outside of it they are
    modules: v1.37.2 has k8s.io/api v0.37.2.
    """
    go, etcd = _only(r"^go (\S+)$", kubernetes), _only(rf"^\t{_ETCD} (\S+)", kubernetes)
    staged = re.findall(r"^\t(\S+) => \./staging/\S+$", kubernetes, re.MULTILINE)
    staging = version.replace("v1.", "v0.", 1)
    replaced = "".join(f"\t{module} => {module} {staging}\n" for module in staged)
    tools = "".join(f"\t{program}\n" for program in PROGRAMS)
    return (
        f"module trialwatch.test/cluster\n\ngo {go}\n\n"
        f"require (\n\t{_ETCD} {etcd}\n\t{_KUBERNETES} {version}\n)\n\n"
        f"replace (\n{replaced})\n\ntool (\n{tools})\n"
    )


def _only(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    if found is None:
        raise ValueError(f"the go.mod of Kubernetes has no line like {pattern}")
    return found[1]


def main(versions: list[str]) -> None:
    """Print the row of `modules/kubernetes.toml` for each release."""
    from tests.cluster.binaries import go  # noqa: PLC0415 - it imports this module

    for version in versions:
        with tempfile.TemporaryDirectory() as folder:
            digest = make_module(version, Path(folder), go)
        minor = ".".join(version.removeprefix("v").split(".")[:2])
        sys.stdout.write(f'["{minor}"]\nversion = "{version}"\ndigest = "{digest}"\n')


if __name__ == "__main__":
    main(sys.argv[1:])
