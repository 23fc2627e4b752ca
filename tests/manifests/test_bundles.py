"""Each overlay is one file to apply, and its images are where the release says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from api.objects.yamltext import load_objects
from manifests.release import __main__ as release
from manifests.release.kustomize import VARIABLE
from tests.manifests.kustomize import OVERLAYS, command
from tests.manifests.rendered_objects import overlay

FILES = {
    name: "install.yaml" if name == "standalone" else f"install-{name}.yaml" for name in OVERLAYS
}


@pytest.fixture(scope="module")
def bundles() -> dict[str, str]:
    return release.bundles(command(), "trialwatch")


def test_there_is_a_file_for_each_overlay(bundles: dict[str, str]) -> None:
    assert sorted(bundles) == sorted(FILES.values())


@pytest.mark.parametrize("name", OVERLAYS)
def test_a_file_has_the_objects_of_its_overlay(bundles: dict[str, str], name: str) -> None:
    assert load_objects(bundles[FILES[name]]) == [*overlay(name)]


def test_all_images_are_at_the_place_that_is_given() -> None:
    moved = release.bundles(command(), "registry.example:5000/team/trialwatch")

    for name, text in moved.items():
        images = re.findall(r"image: (\S+)", text)  # those in katib-config too
        assert images, name
        for image in images:
            assert re.fullmatch(r"registry\.example:5000/team/trialwatch/\w+:0\.1\.0", image)


def test_the_program_writes_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, " ".join(command()))

    assert release.main([str(tmp_path / "dist"), "--images=registry.example/trialwatch/"]) == 0

    written = sorted(path.name for path in (tmp_path / "dist").iterdir())
    assert written == sorted([*FILES.values(), f"trialwatch-{release.version()}.tgz"])
    assert "registry.example/trialwatch/webhook:" in (tmp_path / "dist/install.yaml").read_text()


def test_without_kustomize_the_program_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert release.main([str(tmp_path)]) == 1

    assert capsys.readouterr().err == (
        "cannot render manifests/: install `kustomize` or `kubectl`, or name one in"
        " TRIALWATCH_KUSTOMIZE, as in `kubectl kustomize`\n"
    )
