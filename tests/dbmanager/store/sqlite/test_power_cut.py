"""After a power cut at any moment, the database is whole and has each acknowledged report."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.dbmanager.store.sqlite.power_cut import Act, Disk, read_journal

DATABASE, NOTES = "observations.db", "acknowledged"
SHIM = Path(__file__).with_name("disk_journal.c")


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc")
    if compiler is None and os.environ.get("CI"):
        pytest.fail("no C compiler (cc): a build machine must have one")
    if compiler is None:
        pytest.skip("no C compiler (cc) here: no power cut can be simulated")
    library = tmp_path_factory.mktemp("shim") / "disk_journal.so"
    flags = ["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *flags, "-o", str(library), str(SHIM), "-ldl"], check=True)
    return library


@pytest.fixture(scope="module")
def journal(shim: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Act]:
    """Return what a store did to its files while it acknowledged reports."""
    folder = tmp_path_factory.mktemp("cut")
    watched = folder / "watched"
    watched.mkdir()
    program = "tests.dbmanager.store.sqlite.acknowledged_reports"
    environ = {
        **os.environ,
        "LD_PRELOAD": str(shim),
        "TRIALWATCH_JOURNAL": str(folder / "journal"),
        "TRIALWATCH_WATCHED": str(watched),
    }
    command = [sys.executable, "-m", program, str(watched / DATABASE), str(watched / NOTES)]
    subprocess.run(command, cwd=ROOT, env=environ, check=True, timeout=300)
    return list(read_journal(folder / "journal"))


def cuts(journal: list[Act]) -> Iterator[Disk]:
    """Yield the disk at the moment after each acknowledgement, and at others in between."""
    disk = Disk()
    for number, act in enumerate(journal):
        disk.do(act)
        if act.name == NOTES or number % 25 == 0:
            yield disk


def values_after(files: dict[str, bytes], folder: Path) -> set[str]:
    """Open the database as it is after the cut; return the values of its reports."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    connection = sqlite3.connect(folder / DATABASE)
    try:
        connection.execute("PRAGMA synchronous = OFF")  # this copy need not survive anything
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
        if ("observation_logs",) not in tables:
            return set()
        rows = connection.execute("SELECT value FROM observation_logs WHERE length(value) < 9")
        return {value for (value,) in rows}
    finally:
        connection.close()


@pytest.mark.parametrize("seed", [None, 1], ids=["no later write", "some writes"])
def test_each_acknowledged_report_is_there_after_a_power_cut(
    journal: list[Act], seed: int | None, tmp_path: Path
) -> None:
    dice = None if seed is None else random.Random(seed)
    acknowledged: set[str] = set()
    for disk in cuts(journal):
        acknowledged = set(disk.written(NOTES).decode().split())
        there = values_after(dict(disk.after_a_cut(dice)), tmp_path / "disk")
        assert acknowledged - there == set()
    assert len(acknowledged) == 120


def test_the_journal_has_what_a_cut_could_lose(journal: list[Act]) -> None:
    """The WAL was written, synced, and moved into the database more than once."""
    kinds = {(act.kind, act.name) for act in journal}
    moves = [act for act in journal if act.kind == "S" and act.name == DATABASE]

    assert {("W", f"{DATABASE}-wal"), ("S", f"{DATABASE}-wal"), ("D", "")} <= kinds
    assert len(moves) > 2
