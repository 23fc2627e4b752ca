"""Stores of observations: one contract and its implementations.

Belongs here: `contract`; the store in memory; the tables, queries, migrations, sequence numbers and
batches that the SQL stores share; a folder for each kind of database.
Does not belong here: gRPC, what a metric means.
May import: `api`. May be imported by: the rest of `dbmanager`, `runner`.
"""
