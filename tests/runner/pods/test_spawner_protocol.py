"""What passes between the runner and its spawner: lines that are read, and lines that are not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runner.pods.spawner_protocol import Gone, Ready, Signal, command_from, report_from, to_line

COMMAND, REPORT = to_line(Signal(id="a", number=15)), to_line(Gone(id="a"))


def test_commands_and_reports_are_read_as_they_were_written() -> None:
    assert command_from(COMMAND) == Signal(id="a", number=15)
    assert report_from(REPORT) == Gone(id="a")
    assert report_from(to_line(Ready(no_mounts="no namespace"))) == Ready(no_mounts="no namespace")


@pytest.mark.parametrize(
    ("read", "line"), [(command_from, REPORT), (report_from, COMMAND)], ids=["command", "report"]
)
def test_a_line_of_the_other_direction_is_a_value_error(
    read: Callable[[bytes], object], line: bytes
) -> None:
    with pytest.raises(ValueError, match=r"not an? (command|report): "):
        read(line)


@pytest.mark.parametrize("read", [command_from, report_from])
@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"3",
        b"{}",
        b'{"kind": "Unknown"}',
        b'{"kind": []}',
        b'{"kind": "Gone"}',
        b'{"kind": "Signal"}',
        b'{"kind": "Gone", "id": "a", "more": 1}',
        b'{"kind": "Launch", "id": "a"}',
        b'{"kind": "Launch", "argv": [], "binds": 3}',
    ],
)
def test_a_line_that_is_malformed_is_a_value_error(
    read: Callable[[bytes], object], line: bytes
) -> None:
    with pytest.raises(ValueError, match=r"not an? (command|report): "):
        read(line)
