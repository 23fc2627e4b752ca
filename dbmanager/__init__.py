"""The observation store: it loses nothing and stores nothing twice.

Belongs here: the program `python -m dbmanager` and two rooms: `store` (the contract and its
implementations in memory, SQLite, PostgreSQL and MySQL) and `service` (gRPC over a store).
Does not belong here: what a metric means, who may read what, anything of Kubernetes.
May import: `serving` and `api`. May be imported by: `runner` and `trialwatch`, which embed a store.
"""
