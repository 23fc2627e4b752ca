"""The exercises of docs/tour.md work: each patch applies to the tree, and adds what it promises.

Each runs in a copy of the tree. There the patch's own test fails without the rest of the patch,
and passes with it, together with the tests of the folders that the patch changes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, files

DOCUMENT = ROOT / "docs" / "tour.md"
PATCHES = Path(__file__).parent
EXERCISES = {
    "metric-format": (
        "tests/filters/test_name_matcher.py",
        "tests/filters/test_tables.py",
        "tests/filters/test_golden_lines.py",
    ),
    "search-setting": ("tests/suggestion/test_docs.py", "tests/suggestion/core/test_refusals.py"),
    "column": ("tests/trialwatch/test_docs.py", "tests/trialwatch/view/test_lines.py"),
}
"""Each exercise with the tests of the folders that it changes."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a copy of the repository."""
    for path in files():
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    return tmp_path


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_patch_of_an_exercise_adds_what_its_test_asks_for(exercise: str, tree: Path) -> None:
    changed = changed_files(exercise)
    [own] = [path for path in changed if path.startswith("tests/")]

    apply(exercise, tree, f"--include={own}")
    before = python(tree, "-m", "pytest", "-q", own)
    apply(exercise, tree, f"--exclude={own}")
    after = python(tree, "-m", "pytest", "-q", own, *EXERCISES[exercise])
    sources = [path for path in changed if path.endswith(".py")]
    style = python(tree, "-m", "ruff", "check", *sources)
    form = python(tree, "-m", "ruff", "format", "--check", *sources)

    assert before.returncode == pytest.ExitCode.TESTS_FAILED, before.stdout
    for run in (after, style, form):
        assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_document_names_the_patch_and_each_file_that_it_changes(exercise: str) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    section = text.split(f"`tests/tour/{exercise}.patch`")[0].split("\n## ")[-1]

    changed = changed_files(exercise)
    assert 2 <= len(changed) <= 4
    for path in changed:
        assert f"`{path}`" in section, f"docs/tour.md does not name {path}"


def test_each_patch_is_an_exercise() -> None:
    assert {path.stem for path in PATCHES.glob("*.patch")} == set(EXERCISES)


def changed_files(exercise: str) -> list[str]:
    patch = (PATCHES / f"{exercise}.patch").read_text(encoding="utf-8")
    return re.findall(r"^\+\+\+ b/(\S+)$", patch, re.MULTILINE)


def apply(exercise: str, tree: Path, *options: str) -> None:
    """Apply a patch, or a part of it; the tree may be outside of any repository."""
    run = subprocess.run(
        ["git", "apply", *options, str(PATCHES / f"{exercise}.patch")],
        cwd=tree,
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, (
        f"tests/tour/{exercise}.patch does not apply any more; docs/tour.md says how to renew it:\n"
        f"{run.stderr}"
    )


def python(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python on the copy: its modules come before the installed ones."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )
