"""Gradient descent with tqdm's progress bar, whose lines end with a carriage return."""

import sys

from tqdm import tqdm

weight = 4.0
bar = tqdm(range(20), desc="descent", file=sys.stdout, mininterval=0, ncols=100, ascii=True)
for _ in bar:
    weight -= 0.1 * 2 * weight
    bar.set_postfix(loss=f"{weight**2:.5f}", weight=f"{weight:.4f}")
