"""A trainer whose loss falls; its output has what a careless page would take for HTML."""

from __future__ import annotations

import argparse
import math
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--act")
parser.add_argument("--steps", type=int)
parser.add_argument("--pause", type=float, default=0.02)
options = parser.parse_args()

sys.stdout.write("<img src=x onerror=alert(1)></script> \x1b[32mgreen\x1b[0m \u202egnorw\n")
floor = abs(math.log10(options.lr) + 2) / 4 + (options.act == "relu") / 10
for step in range(options.steps):
    loss = floor + math.exp(-step / 4)
    sys.stdout.write(f"step {step}: loss={loss:.5f}\n")
    sys.stdout.flush()
    time.sleep(options.pause)
sys.stdout.write("the last words")  # without the end of a line
