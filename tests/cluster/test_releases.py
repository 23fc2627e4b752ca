"""The Go module of a release is made of the release alone, and is the pinned one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cluster import binaries
from tests.cluster.releases import (
    PROGRAMS,
    ModuleDigestError,
    Release,
    make_module,
    module_text,
    releases,
    write_module,
)

KUBERNETES = """\
module k8s.io/kubernetes

go 1.26.0

godebug default=go1.26

require (
	github.com/blang/semver/v4 v4.0.0
	k8s.io/api v0.0.0
	k8s.io/utils v0.0.0-20260101000000-0123456789ab
)

require go.etcd.io/etcd/api/v3 v3.6.9

require (
	go.etcd.io/etcd/server/v3 v3.7.0 // indirect
)

replace (
	k8s.io/api => ./staging/src/k8s.io/api
	k8s.io/streaming => ./staging/src/k8s.io/streaming
)
"""


class Go:
    """Stands for `go`: downloads the go.mod above, and adds a go.sum."""

    def __init__(self, folder: Path, sums: str = "k8s.io/api v0.37.2 h1:aaa=\n") -> None:
        self._download = folder / "kubernetes.mod"
        self._download.write_text(KUBERNETES)
        self._sums = sums

    def __call__(self, arguments: list[str], folder: Path) -> str:
        if arguments[:2] == ["mod", "tidy"]:
            (folder / "go.sum").write_text(self._sums)
        if arguments == ["version"]:
            return "go version go1.26.8 linux/amd64\n"
        return json.dumps({"GoMod": str(self._download)})


def test_a_module_takes_go_etcd_and_staging_repositories_from_kubernetes_itself() -> None:
    text = module_text("v1.37.2", KUBERNETES)

    head, tools = text.split("tool (\n")
    assert head == (
        "module trialwatch.test/cluster\n\ngo 1.26.0\n\n"
        "require (\n\tgo.etcd.io/etcd/server/v3 v3.7.0\n\tk8s.io/kubernetes v1.37.2\n)\n\n"
        "replace (\n\tk8s.io/api => k8s.io/api v0.37.2\n"
        "\tk8s.io/streaming => k8s.io/streaming v0.37.2\n)\n\n"
    )
    assert tools.split() == [*PROGRAMS, ")"]


def test_a_go_mod_without_etcd_is_refused() -> None:
    with pytest.raises(ValueError, match="no line like"):
        module_text("v1.37.2", "go 1.26.0\n")


def test_a_module_that_is_the_pinned_one_is_written(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    digest = make_module("v1.37.2", first, Go(tmp_path))

    write_module(Release(version="v1.37.2", digest=digest), second, Go(tmp_path))

    for name in ("go.mod", "go.sum"):
        assert (second / name).read_text() == (first / name).read_text()


def test_a_module_with_another_hash_is_refused_and_says_what_to_compare(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    digest = make_module("v1.37.2", first, Go(tmp_path))
    forged = Go(tmp_path, "k8s.io/api v0.37.2 h1:bbb=\n")

    with pytest.raises(ModuleDigestError, match=f"pins {digest}.* go1.26.8 .*releases v1.37.2"):
        write_module(Release(version="v1.37.2", digest=digest), second, forged)


def test_each_pinned_release_is_of_its_minor_and_the_newest_is_last() -> None:
    known = releases()

    assert [*known] == ["1.35", "1.36", "1.37"]
    for minor, release in known.items():
        assert release.version.startswith(f"v{minor}.")
        assert len(release.digest) == 64


def test_a_release_is_built_once_from_its_pinned_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, calls = tmp_path / "module", Go(tmp_path)
    module.mkdir()
    release = Release(version="v1.37.2", digest=make_module("v1.37.2", module, calls))
    built: list[str] = []

    def go(arguments: list[str], folder: Path) -> str:
        if arguments[0] == "build":
            built.append((folder / "go.mod").read_text())
            Path(arguments[arguments.index("-o") + 1], "kubectl").write_text("a program")
        return calls(arguments, folder)

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(binaries, "go", go)
    first, second = binaries.kubernetes(release), binaries.kubernetes(release)

    assert first == second == tmp_path / "cache/trialwatch" / f"k8s-v1.37.2-{release.digest[:8]}"
    assert [path.name for path in first.iterdir()] == ["kubectl"]
    assert built == [(module / "go.mod").read_text()]
    assert sorted(path.name for path in first.parent.iterdir() if path.is_dir()) == [first.name]


def test_nothing_is_built_of_a_module_that_is_not_the_pinned_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(binaries, "go", Go(tmp_path))

    with pytest.raises(ModuleDigestError, match="pins 0000"):
        binaries.kubernetes(Release(version="v1.37.2", digest="0000"))

    assert not any(path.is_dir() for path in (tmp_path / "cache/trialwatch").iterdir())
