"""The launcher: starts the trainer without a visible difference, and stays until the delivery.

Belongs here: `launch`, the C program of the trainer's container (`*.c`), and the same in Python for
a laptop without a C compiler, `python -m launcher`. docs/launcher.md is the contract of both, and
one suite, `tests/contracts/launcher`, tests both.
Does not belong here: lines and metrics, a network, a third-party package. The Python program starts
before every local trial, so it imports little, and only from the standard library.
May import: `api`. May be imported by: `runner.pods`, for Linux calls, and to end the processes that
a process has left. All others start it as a program.

How an attempt runs (`run`, in C `launch.c`):

1. Set up: make `attempts/N` in the run directory, with FIFO, reserved exit record and segments.
   Then write the record `attempt`. If any of it fails, become the trainer, without metrics.
2. Start the trainer in a session of its own, with everything that the launcher inherited.
3. Copy its output to the segments and onward, forward signals, read the FIFO's lines.
4. When the trainer has ended, end its other processes, and write the exit record.
5. Hold the container until the collector has delivered all, or until a time limit.
"""
