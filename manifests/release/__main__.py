"""`python -m manifests.release FOLDER`, as `make bundles`: what a release gives to install.

    manifests/overlays/* ──kustomize──> FOLDER/install*.yaml     one file for each overlay
            │
            └──with each component──> FOLDER/trialwatch-VERSION.tgz, a Helm chart

Both come from the kustomizations alone, so the manifests stay the only source. `--images` says
where the images are: with `--images registry.example/team/trialwatch` a bundle asks for
`registry.example/team/trialwatch/controller:VERSION`. The chart has a value for it.
"""

from __future__ import annotations

import argparse
import gzip
import io
import sys
import tarfile
import tomllib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from manifests.release.chart import chart, files_in_order
from manifests.release.kustomize import MANIFESTS, RenderingError, command, render, render_with
from manifests.release.values import IMAGE

OLDEST_KUBERNETES = "1.30"


def version() -> str:
    """Return the version of this clone."""
    text = (MANIFESTS.parent / "pyproject.toml").read_text(encoding="utf-8")
    return str(tomllib.loads(text)["project"]["version"])


def bundles(program: Sequence[str], images: str) -> dict[str, str]:
    """Return a file to apply for each overlay, by its name; `images` is the place of the images."""
    found = {}
    for overlay in sorted(MANIFESTS.glob("overlays/*/kustomization.yaml")):
        name = overlay.parent.name
        text = IMAGE.sub(rf"{images}/\1:\2", render(program, overlay.parent))
        found["install.yaml" if name == "standalone" else f"install-{name}.yaml"] = text
    return found


def chart_files(program: Sequence[str]) -> dict[str, str]:
    """Return the files of the Helm chart, by their paths."""
    return chart(version(), OLDEST_KUBERNETES, partial(render_with, program))


def package(files: dict[str, str], path: Path) -> None:
    """Write a chart's package; the same files give the same bytes."""
    with (
        path.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, text in files_in_order(files):
            data = text.encode()
            entry = tarfile.TarInfo(f"trialwatch/{name}")
            entry.size, entry.mode = len(data), 0o644
            archive.addfile(entry, io.BytesIO(data))


def main(arguments: list[str]) -> int:
    """Write the bundles and the chart; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m manifests.release")
    parser.add_argument("folder", type=Path, help="where the files go")
    parser.add_argument(
        "--images", default="trialwatch", help="where the images are: REGISTRY/PATH"
    )
    given = parser.parse_args(arguments)
    given.folder.mkdir(parents=True, exist_ok=True)
    try:
        program = command()
        for name, text in bundles(program, given.images.rstrip("/")).items():
            (given.folder / name).write_text(text, encoding="utf-8")
        package(chart_files(program), given.folder / f"trialwatch-{version()}.tgz")
    except RenderingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
