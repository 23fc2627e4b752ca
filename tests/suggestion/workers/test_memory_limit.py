"""How much memory a worker may use."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from suggestion.workers.memory_limit import available_memory, memory_of_worker

MEBIBYTE = 1 << 20
MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.mark.parametrize(
    ("workers", "available", "each"),
    [
        (2, 1536, 576),
        (1, 1536, 1152),
        (4, 1024, 384),  # less than the libraries need helps no one
    ],
)
def test_the_workers_share_three_quarters(workers: int, available: int, each: int) -> None:
    assert memory_of_worker(workers, available * MEBIBYTE) == each * MEBIBYTE


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [("104857600\n", 104857600), ("max\n", MACHINE), ("9223372036854771712\n", MACHINE)],
)
def test_the_limit_is_that_of_the_container_or_of_the_machine(
    tmp_path: Path, text: str, bytes_: int
) -> None:
    file = tmp_path / "memory.max"
    file.write_text(text)

    assert available_memory((tmp_path / "absent", file)) == bytes_


def test_without_a_limit_it_is_the_machines_memory(tmp_path: Path) -> None:
    assert available_memory((tmp_path / "absent",)) == MACHINE


def test_a_worker_cannot_have_more_than_the_service_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = (300 * MEBIBYTE, resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "getrlimit", {resource.RLIMIT_DATA: own}.__getitem__)

    assert available_memory((tmp_path / "absent",)) == 300 * MEBIBYTE
