"""The thread that writes the trainer's lines to stdout."""

from __future__ import annotations

import os
import threading
import time

from collector.stdout_writer import MOST, StdoutWriter


def test_bytes_are_written_verbatim() -> None:
    reader, writer = os.pipe()
    out = StdoutWriter(writer)
    out.write(b"loss=1\n\xff\x00")
    out.write(b"loss=2\n")
    out.close()
    os.close(writer)
    assert os.read(reader, 100) == b"loss=1\n\xff\x00loss=2\n"
    os.close(reader)


def test_a_reader_that_does_not_read_delays_nothing() -> None:
    reader, writer = os.pipe()
    out = StdoutWriter(writer)
    begun = time.monotonic()
    while room := out.room():
        out.write(b"x" * min(room, 1 << 16))
    assert out.room() == 0
    out.close()
    assert time.monotonic() - begun < 10.0
    writing = [thread for thread in threading.enumerate() if thread.name == "stdout"]
    os.close(reader)
    for thread in writing:
        thread.join()
    os.close(writer)


def test_a_reader_that_is_gone_causes_no_fault() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    out = StdoutWriter(writer)
    for _ in range(3):
        out.write(b"x")
        time.sleep(0.05)
    assert out.room() == MOST
    out.close()
    os.close(writer)
