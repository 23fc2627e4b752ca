"""Stores of observations: one contract, and what its implementations share.

Belongs here: `contract`, the store in memory, and for the stores over SQL their tables, queries,
migrations, sequence numbers and batches; a folder for each kind of database.
Does not belong here: gRPC, and what a metric means.
May import: `api`. May be imported by: the rest of `dbmanager`, `runner`.
"""
