"""A cluster in memory, and the same over HTTP, for tests; in no image, and not in the wheel.

Belongs here: the port in memory (`memory`, `logs`), its history, what the API server does to a
document, and HTTP over it (`apiserver`).
Does not belong here: anything that a program needs.
May import: `kube`, `api`. May be imported by: `tests` and `bench` only.
"""
