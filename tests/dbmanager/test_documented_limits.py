"""The table of limits in docs/dbmanager.md has the values of the code."""

from __future__ import annotations

from pathlib import Path

from api import report_limits as report
from dbmanager.server import LIMITS
from dbmanager.service.replies import REPLY_BYTES
from dbmanager.service.requests import MOST_METRICS
from dbmanager.store.sqlite.reserve import RESERVE_BYTES

DOCUMENT = Path(__file__).parents[2] / "docs/dbmanager.md"
CALLS = LIMITS
VALUES = {
    "bytes of a request, decompressed": f"{report.LARGEST_MESSAGE}",
    "points of a report": f"{report.MOST_POINTS}",
    "characters of a name": f"{report.LONGEST_NAME}",
    "characters of a value": f"{report.LONGEST_VALUE}",
    "metrics that a read names": f"{MOST_METRICS}",
    "bytes that a caller of a reply may ask for": (
        f"{REPLY_BYTES}, or `--max-reply` if that is more"
    ),
    f"bytes of all requests under way: up to {CALLS.small} each, larger": (
        f"{CALLS.small_bytes}, {CALLS.request_bytes}"
    ),
    "requests on their way: all clients, each": f"{CALLS.receiving}, {CALLS.receiving_each}",
    "calls that wait: all clients, each": f"{CALLS.waiting}, {CALLS.waiting_each}",
    "open streams: all clients, each": f"{CALLS.streams}, {CALLS.streams_each}",
    "seconds until a request has arrived": f"{CALLS.receive_seconds:g}",
    "the same, and until a large request has its bytes, while other clients wait": (
        f"{CALLS.crowded_seconds:g}"
    ),
    "seconds until a reply is taken": f"{CALLS.send_seconds:g}",
}


def test_the_document_has_each_limit_with_its_value() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    table = text.partition("| limit | value | beyond |\n|---|---|---|\n")[2].partition("\n\n")[0]

    rows = [row.strip("| ").split(" | ") for row in table.splitlines()]

    assert {limit: value for limit, value, _ in rows} == VALUES
    assert f"keeps {RESERVE_BYTES >> 20} MiB in a file" in text
