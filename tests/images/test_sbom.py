"""The SBOM says what is installed: read by CycloneDX's own library, and checked by its schema."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from images import sbom
from tests.architecture.tree import ROOT


def installed(folder: Path, name: str, version: str, *more: str) -> None:
    """Write the metadata of a package, as an installation leaves it."""
    metadata = folder / f"{name}-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    lines = ("Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *more)
    metadata.write_text("\n".join((*lines, "", "")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    own = ("License-Expression: Apache-2.0", "Requires-Dist: b_c>=1")
    installed(tmp_path, "trialwatch", "0.1.0", *own)
    other = (
        "Classifier: License :: OSI Approved :: MIT License",
        "Requires-Dist: d",
        'Requires-Dist: trialwatch; extra == "all"',
        'Requires-Dist: absent; sys_platform == "win32"',
    )
    installed(tmp_path, "b.c", "2.0", *other)
    installed(tmp_path, "d", "3")
    return tmp_path


def written(*words: str) -> str:
    command = [sys.executable, str(ROOT / "images" / "sbom.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def read(text: str) -> Any:  # noqa: ANN401 - the library makes its readers at run time
    """Check the document by the schema of CycloneDX; return it as its library reads it."""
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    return Bom.from_json(json.loads(text))  # type: ignore[attr-defined]  # added by a decorator


def test_it_lists_the_packages_of_a_folder_with_versions_licences_and_relations(
    folder: Path,
) -> None:
    bom = read(written("trialwatch-collector", str(folder)))

    subject = bom.metadata.component
    assert (subject.name, subject.version) == ("trialwatch-collector", "0.1.0")
    assert sorted((one.name, one.version, str(one.purl)) for one in bom.components) == [
        ("b.c", "2.0", "pkg:pypi/b-c@2.0"),
        ("d", "3", "pkg:pypi/d@3"),
        ("trialwatch", "0.1.0", "pkg:pypi/trialwatch@0.1.0"),
    ]
    licences = {one.name: [str(licence) for licence in one.licenses] for one in bom.components}
    assert "Apache-2.0" in licences["trialwatch"][0]
    assert "MIT License" in licences["b.c"][0]
    relations = {
        str(one.ref.value): sorted(str(other.ref.value) for other in one.dependencies)
        for one in bom.dependencies
    }
    assert relations["pkg:pypi/trialwatch@0.1.0"] == ["pkg:pypi/b-c@2.0"]
    assert relations["pkg:pypi/b-c@2.0"] == ["pkg:pypi/d@3"]


def test_the_same_packages_give_the_same_bytes(folder: Path) -> None:
    assert written("image", str(folder)) == written("image", str(folder))


def test_the_c_library_of_the_static_launcher_is_a_part(folder: Path) -> None:
    launcher = folder / "trialwatch" / "_packages" / "launcher" / "launch"
    launcher.parent.mkdir(parents=True)
    launcher.touch()

    names = {one.name for one in read(written("image", str(folder))).components}

    assert names & {"glibc", "libc"}


def test_of_an_environment_it_lists_what_a_package_requires_and_nothing_else() -> None:
    bom = read(written("plots", "--requires", "optuna"))

    names = {one.name.lower() for one in bom.components}
    assert {"optuna", "sqlalchemy", "typing_extensions"} <= names
    assert names & {"pytest", "ruff", "trialwatch"} == set()


def test_other_words_print_how_to_call_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert sbom.main(["only-a-name"]) == 2
    assert "sbom.py NAME FOLDER" in capsys.readouterr().err
