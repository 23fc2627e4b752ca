"""Images are built while the node comes up."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.cluster.image_archive import Built
from tests.cluster.installation import built_beside

IMAGE = Built("docker.io/trialwatch/one:0", Path("one.tar"))


def test_images_are_built_beside_the_body() -> None:
    node_is_up = threading.Event()

    def build() -> list[Built]:
        assert node_is_up.wait(60), "the body does not run beside the build"
        return [IMAGE]

    with built_beside(build) as built:
        node_is_up.set()
        assert built() == [IMAGE]


def test_an_image_that_cannot_be_built_is_an_error_where_it_is_needed() -> None:
    def build() -> list[Built]:
        raise RuntimeError("no space left")

    with built_beside(build) as built, pytest.raises(RuntimeError, match="no space left"):
        built()


def test_a_node_that_does_not_come_up_is_the_error_that_is_shown() -> None:
    with pytest.raises(OSError, match="no node"), built_beside(lambda: [IMAGE]):
        raise OSError("no node")
