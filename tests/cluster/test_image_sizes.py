"""The sidecar's image is on each node that trains: it is small."""

from __future__ import annotations

from tests.cluster.client import Cluster
from tests.cluster.dockerfiles import build

MOST_BYTES = 120_000_000


def test_the_collectors_image_is_small_when_it_is_unpacked(cluster: Cluster) -> None:
    del cluster  # where no cluster is, no image was built
    assert build("collector").unpacked_bytes() <= MOST_BYTES
