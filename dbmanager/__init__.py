"""The observation store: it loses nothing and stores nothing twice.

Belongs here: the `Store` port and its implementations (memory, SQLite, PostgreSQL, MySQL), the
schema and its versions, the gRPC service over it, `python -m dbmanager`.
Does not belong here: what a metric means, who may read what, anything of Kubernetes.
May import: `serving` and `api`. May be imported by: `runner` and `trialwatch`, which embed a store.
"""
