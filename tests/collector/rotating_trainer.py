"""Writes values to a file that it rotates, or to its output; also writes them to `written`.

Called with the file (`-` for standard output), the first value, how many, a seed, and seconds.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path


def main() -> None:
    where, first, count, seed, seconds = sys.argv[1:]
    dice = random.Random(int(seed))
    log = Path(where)
    file = sys.stdout if where == "-" else log.open("a")
    written = Path("written")
    for value in range(int(first), int(first) + int(count)):
        file.write(f"step {value} {'.' * dice.randrange(300)} loss={value}\n")
        file.flush()
        with written.open("a") as note:
            note.write(f"{value}\n")
        time.sleep(float(seconds) / int(count) * dice.random() * 2)
        if where != "-" and dice.random() < 5 / int(count):
            file.close()
            for number in range(9, 0, -1):
                older = log.with_name(f"{log.name}.{number}")
                if older.exists():
                    older.rename(log.with_name(f"{log.name}.{number + 1}"))
            log.rename(log.with_name(f"{log.name}.1"))
            file = log.open("a")
    if where != "-":
        file.close()


main()
