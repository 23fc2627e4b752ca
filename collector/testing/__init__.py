"""The collector's ports in memory, for tests; in no image, and not in the wheel.

Belongs here: honest implementations of the ports, held to what the ports promise.
Does not belong here: anything that the collector itself needs.
May import: `collector`, `api`. May be imported by: `tests` and `bench` only.
"""
