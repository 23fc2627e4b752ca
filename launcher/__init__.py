"""The launcher: starts the trainer, unseen, and stays until its metrics are delivered.

Belongs here: `launch`, the C program of the trainer's container (`*.c`), and its twin for a
laptop, `python -m launcher`. Both keep one contract, written down in docs/launcher.md, and one
suite in tests/contracts runs over both.
Does not belong here: what a line or a metric is, a network, a third-party package. The twin is
started before every local trial, so its imports are few, and of the standard library.
May import: api. May be imported by: `runner.pods`, for what Linux offers and for ending what a
process has left; else it is started as a program.
"""
