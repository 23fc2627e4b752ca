"""The changelog's newest version is the package's version."""

from __future__ import annotations

import re

from tests.architecture.tree import ROOT, pyproject


def test_the_newest_version_of_the_changelog_is_the_packages() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[?(\d+\.\d+\.\d+)", text, re.MULTILINE)

    assert versions[0] == pyproject()["project"]["version"]
