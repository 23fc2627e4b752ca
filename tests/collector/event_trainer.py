"""Writes event files with tensorboardX: `DIRECTORY COUNT SECONDS`, a loss of 1 / step."""

from __future__ import annotations

import sys
import time

from tensorboardX import SummaryWriter


def main() -> None:
    directory, count, seconds = sys.argv[1:]
    with (
        SummaryWriter(directory, flush_secs=0) as writer,
        SummaryWriter(f"{directory}/eval", flush_secs=0) as other,
    ):
        for step in range(1, int(count) + 1):
            writer.add_scalar("loss", 1 / step, step)
            other.add_scalar("acc", step / 8, step)
            writer.flush()
            other.flush()
            time.sleep(float(seconds) / int(count))


main()
