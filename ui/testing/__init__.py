"""A source that only tests use.

Belongs here: the port of `ui.sources` in memory, held to its contract.
Does not belong here: a stub that returns what one test expects.
May import: `ui.sources`, `ui.model`, `api`. May be imported by: tests.
"""
