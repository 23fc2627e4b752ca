"""What the images have, and what they do not have: their packages, pip, shells."""

from __future__ import annotations

import json
import re

import pytest

from tests.architecture.tree import ROOT
from tests.cluster.client import Cluster
from tests.cluster.dockerfiles import build
from tests.cluster.image_archive import Built

PROGRAMS = sorted(path.suffix.removeprefix(".") for path in ROOT.glob("Dockerfile.*"))
UNWANTED = re.compile(
    r"(usr/(local/)?)?s?bin/(pip[\d.]*|sh|bash|dash|busybox)|.*/(pip|setuptools|ensurepip)/.*|strip.py"
)


@pytest.fixture(params=PROGRAMS)
def image(request: pytest.FixtureRequest, cluster: Cluster) -> Built:
    del cluster  # where no cluster is, no image was built
    return build(request.param)


def test_no_image_has_pip_or_a_shell(image: Built) -> None:
    assert [name for name in image.names() if UNWANTED.fullmatch(name)] == []


def test_the_sbom_of_an_image_names_each_package_that_is_in_it(image: Built) -> None:
    document = json.loads(image.read("install/sbom.cdx.json"))

    listed = {
        (component["name"].lower().replace("-", "_"), component["version"])
        for component in document["components"]
        if component["purl"].startswith("pkg:pypi/")
    }
    folders = (re.fullmatch(r"install/(.+)-(.+)\.dist-info", name) for name in image.names())
    assert listed == {(folder[1].lower(), folder[2]) for folder in folders if folder}
