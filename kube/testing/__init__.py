"""A cluster in memory, and the same over HTTP, for tests; not in the images or the wheel.

Belongs here: the port in memory (`memory`, `logs`), its objects (`object_store`), its last writes
(`history`), the API server's changes to documents (`documents`), and HTTP over it (`apiserver`,
`request_paths`, `error_responses`).
Does not belong here: anything that a program needs.
May import: `kube`, `api`. May be imported by: `tests` and `bench` only.
"""
