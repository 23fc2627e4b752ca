"""A trainer that pushes values, and notes which were accepted or refused, or had no answer.

    pushing_trainer.py PORT FIRST COUNT SECONDS

A refused value is pushed beside each accepted one: it must never be stored. A call without an
answer is not repeated: it is unknown whether it was accepted.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
from pathlib import Path


def push(connection: http.client.HTTPConnection, body: str) -> int:
    """Return the status of the answer; 0 without one."""
    try:
        connection.request("POST", "/push", body)
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException):
        connection.close()
        return 0
    else:
        return response.status


def main() -> None:
    port, first, count, seconds = (float(word) for word in sys.argv[1:])
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=30)
    pause = seconds / count
    with (
        Path("accepted").open("a") as accepted,
        Path("refused").open("a") as refused,
        Path("unanswered").open("a") as unanswered,
    ):
        for value in range(int(first), int(first + count)):
            body = json.dumps({"loss": value, "step": value})
            status = push(connection, body)
            if status == 200:
                print(value, file=accepted, flush=True)
            elif status in (0, 503):
                print(value, file=refused if status else unanswered, flush=True)
                time.sleep(0.05)
            if push(connection, f'{body}\n{{"loss": {-value}, "step": "x"}}') not in (400, 0):
                sys.exit("a wrong push was not refused")
            time.sleep(pause)


main()
