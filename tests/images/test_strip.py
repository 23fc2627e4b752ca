"""An image keeps its program and loses pip, its like, and every shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

STRIP = ROOT / "images" / "strip.py"
REMOVED = [
    "usr/bin/sh",
    "usr/bin/bash",
    "usr/bin/dash",
    "usr/bin/pip3",
    "usr/local/bin/pip",
    "usr/local/bin/pip3.11",
    "usr/local/lib/python3.11/ensurepip/__init__.py",
    "usr/local/lib/python3.11/site-packages/pip/__main__.py",
    "usr/local/lib/python3.11/site-packages/pip-24.0.dist-info/METADATA",
    "usr/local/lib/python3.11/site-packages/setuptools/__init__.py",
    "usr/local/lib/python3.11/site-packages/distutils-precedence.pth",
    "usr/lib/python3/dist-packages/wheel/__init__.py",
]
KEPT = [
    "usr/bin/python3",
    "usr/bin/sha256sum",
    "usr/local/bin/launch",
    "usr/local/lib/python3.11/shlex.py",
    "usr/local/lib/python3.11/site-packages/pipeline/__init__.py",
    "install/trialwatch/__init__.py",
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The root of an image whose /bin is a link to /usr/bin, as Debian's is."""
    root = tmp_path / "root"
    for name in (*REMOVED, *KEPT):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    (root / "bin").symlink_to("usr/bin")
    (root / "usr/bin/rbash").symlink_to("bash")
    return root


def strip(root: Path, folder: Path) -> Path:
    program = Path(shutil.copy2(STRIP, folder / "strip.py"))
    subprocess.run([sys.executable, str(program), str(root)], check=True)
    return program


def test_pip_its_like_and_all_shells_are_gone_and_the_program_is_there(
    root: Path, tmp_path: Path
) -> None:
    strip(root, tmp_path)

    assert [name for name in REMOVED if os.path.lexists(root / name)] == []
    assert not (root / "usr/bin/rbash").is_symlink()
    assert [name for name in KEPT if not (root / name).exists()] == []


def test_a_base_without_any_of_them_stays_as_it_is(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/python3").touch()

    strip(root, tmp_path)

    assert [path.name for path in root.rglob("*") if path.is_file()] == ["python3"]


def test_it_removes_itself(root: Path, tmp_path: Path) -> None:
    assert not strip(root, tmp_path).exists()
