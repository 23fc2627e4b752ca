"""The SQLite writer: many writes in one transaction, and no write fails for the fault of another."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api.errors import Unavailable
from dbmanager.store.sqlite.writer import Write, Writer


class File:
    """A file with one table, a writer for it, and the number of commits."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writer_connection = self.connect()
        self.writer_connection.execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY)")
        self.commits = 0
        self.writer_connection.set_trace_callback(self._count)
        self.writer = Writer(self.writer_connection, "the file")

    def connect(self) -> sqlite3.Connection:
        return sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, timeout=0.05
        )

    def _count(self, statement: str) -> None:
        self.commits += statement == "COMMIT"

    def numbers(self) -> list[int]:
        connection = self.connect()
        rows = connection.execute("SELECT number FROM numbers ORDER BY number").fetchall()
        connection.close()
        return [row[0] for row in rows]


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[File]:
    file = File(tmp_path / "numbers.db")
    yield file
    await file.writer.close()


def store(number: int) -> Write:
    def write(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO numbers VALUES (?)", (number,))
        return number

    return write


async def write_together(file: File, *numbers: int) -> list[int | BaseException]:
    """Write all numbers while one transaction is under way."""
    may_end = threading.Event()
    first = asyncio.create_task(file.writer.write(lambda _: may_end.wait(30), 0))
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(file.writer.write(store(number), 1)) for number in numbers]
    await asyncio.sleep(0)
    may_end.set()
    await first
    results: list[int | BaseException] = await asyncio.gather(*waiting, return_exceptions=True)
    return results


async def test_writes_that_wait_share_one_commit(file: File) -> None:
    assert await write_together(file, 1, 2, 3) == [1, 2, 3]
    assert file.numbers() == [1, 2, 3]
    assert file.commits == 2, "one of the first write, one of the three"


async def test_a_write_that_fails_takes_back_only_itself(file: File) -> None:
    results = await write_together(file, 1, 1, 2)
    assert [results[0], results[2]] == [1, 2]
    assert isinstance(results[1], sqlite3.IntegrityError)
    assert file.numbers() == [1, 2]


async def test_a_locked_file_is_unavailable_to_all_waiting_writes_after_one_try(file: File) -> None:
    other = file.connect()
    other.execute("BEGIN IMMEDIATE")
    begun: list[str] = []
    file.writer_connection.set_trace_callback(begun.append)
    results = await asyncio.gather(
        *(file.writer.write(store(number), 1) for number in range(4)), return_exceptions=True
    )
    other.execute("ROLLBACK")
    other.close()
    assert [type(error) for error in results] == [Unavailable] * 4
    assert begun.count("BEGIN IMMEDIATE") <= 2, "not one try for each write"
    assert await file.writer.write(store(9), 1) == 9


async def test_closing_finishes_the_writes_that_wait(tmp_path: Path) -> None:
    file = File(tmp_path / "closing.db")
    writes = [asyncio.create_task(file.writer.write(store(number), 1)) for number in range(3)]
    await asyncio.sleep(0)
    await file.writer.close()
    assert [write.result() for write in writes] == [0, 1, 2]
    assert file.numbers() == [0, 1, 2]


async def test_a_write_is_not_acknowledged_if_the_file_is_moved_away_during_its_transaction(
    file: File,
) -> None:
    checks = iter([None, Unavailable("moved away")])

    def check() -> None:
        if fault := next(checks):
            raise fault

    writer = Writer(file.connect(), "the file", check)
    with pytest.raises(Unavailable, match="moved away"):
        await writer.write(store(1), 1)
    await writer.close()
