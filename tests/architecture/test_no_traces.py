"""No file names the machine on which it was written, or the source of a download."""

from __future__ import annotations

import re

import pytest

from tests.architecture.tree import ROOT, files

# A letter in brackets keeps a pattern from finding itself.
TRACES = {
    "a path of some machine": rb"(?<![\w.~/-])/(?:[r]oot|[w]ork|home/\w+|Users/\w+)/",
    "a registry's address": rb"pythonhoste[d]\.org|pypi\.or[g]/simple",
    "an index of packages": rb"--(?:extra-)?index-ur[l]|--find-link[s]|--trusted-hos[t]",
    "a download": rb"@ (?:file|https?):[/]/|--hash=sh[a]",
}
# The one place of hashes: `make locks` writes them there, without an address.
LOCKS = ROOT / "images" / "locks"
A_HASH = b"--hash=sh" + b"a"


@pytest.mark.parametrize("trace", TRACES)
def test_no_file_holds(trace: str) -> None:
    pattern = re.compile(TRACES[trace])

    found = [
        f"{path.relative_to(ROOT)}: {match[0]!r}"
        for path in files()
        for match in pattern.finditer(path.read_bytes())
        if not (path.parent == LOCKS and match[0] == A_HASH)
    ]

    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "cd /" + "root/project",
        "see (/" + "home/ann/notes)",
        "https://files.pythonhosted" + ".org/packages/x.whl",
        "pip install --index-" + "url=x",
        "regex @ " + "file:///wheels/regex.whl",
    ],
)
def test_a_trace_would_be_found(text: str) -> None:
    assert any(re.search(pattern, text.encode()) for pattern in TRACES.values())


@pytest.mark.parametrize("text", ["api/work/x", "~/home/x", "/katib/mnist.log", "pypi"])
def test_other_paths_are_no_traces(text: str) -> None:
    assert not any(re.search(pattern, text.encode()) for pattern in TRACES.values())
