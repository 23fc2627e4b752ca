"""The observation store: it loses nothing and stores nothing twice.

Belongs here: the program `python -m dbmanager` and two rooms: `store` (the contract and its
implementations in memory, SQLite, PostgreSQL and MySQL) and `service` (gRPC over a store).
Does not belong here: what a metric means, who may read what, anything of Kubernetes.
May import: `serving` and `api`. May be imported by: `runner` and `trialwatch`, which embed a store.

From a report to the rows:

    message ──> Columns ──> batch ──> one transaction: locks, sequence numbers, rows
                service/    store/    store/sql_server, store/sequence_numbers,
                decoding    batcher   store/postgres, store/mysql, store/sqlite

A report is decoded by column. It is three lists, and each rule is checked for a whole list at once
(`service.decoding`). Only if a rule fails are the points checked one by one, to name the wrong one.

Requests that wait together are stored together: in the next transaction, with one commit and one
COPY (`store.batcher`). A report of very many points does not wait in this queue. SQLite has one
writer, which batches in the same way.
"""
