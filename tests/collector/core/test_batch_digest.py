"""The digest of a batch covers its steps, and equals that of earlier versions without steps."""

from __future__ import annotations

from api.types import MetricPoint
from collector.core.batches import points_digest
from collector.streams.stream_position import digest_of

NOW = "2026-01-31T12:00:00Z"


def test_batches_that_differ_in_a_step_have_different_digests() -> None:
    digests = {points_digest([MetricPoint("loss", "1", NOW, step)]) for step in (None, 0, 1)}

    assert len(digests) == 3


def test_the_digest_of_points_without_steps_is_that_of_the_version_before_steps() -> None:
    points = [MetricPoint("loss", "1", NOW), MetricPoint("acc", "2", NOW)]

    assert points_digest(points) == digest_of(f"loss\0001\0{NOW}\0acc\0002\0{NOW}".encode())
