"""The collector's ports in memory, for tests; neither in the images nor in the wheel.

Belongs here: complete implementations of the ports; a test compares them with the real ones.
Does not belong here: code that the collector itself needs.
May import: `collector`, `api`. May be imported by: `tests` and `bench` only.
"""
