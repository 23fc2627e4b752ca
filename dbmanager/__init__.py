"""The observation store: it loses nothing and stores nothing twice.

Belongs here: the program `python -m dbmanager` and three subpackages: `store` (the contract and its
implementations in memory, SQLite, PostgreSQL and MySQL), `service` (gRPC over a store) and `access`
(who may call).
Does not belong here: the meaning of a metric, Kubernetes' objects.
May import: `kube` (rights as values), `serving` and `api`. May be imported by: `runner` and
`trialwatch`, which embed a store.

From a report to the rows:

    message ──> Columns ──> batch ──> one transaction: locks, sequence numbers, rows
                service/    store/    store/sql_server, store/sequence_numbers,
                decoding    batcher   store/postgres, store/mysql, store/sqlite

A report is decoded by column. It is three lists, and each rule is checked for a whole list at once
(`service.decoding`). Only if a rule fails are the points checked one by one, to name the wrong one.

Reports that wait at the same time are stored in the next transaction together, with one commit and
one COPY (`store.batcher`). A report of 20,000 rows or more has its own transaction. In the servers
it runs beside the transaction of small reports. In SQLite, one thread runs all transactions, one
after the other (`store.sqlite.writer`).

A report is stored exactly once. Its rows and its number are stored in one transaction, and the
number tells a repeat from a new report (`store.sequence_numbers`). A lock of the trial lets only
one transaction at a time do so (`store.sql_server`).

From a query to the reply:

    message ──> Query ──> SQL ──> pages of rows ──> pages, one reply, or a stream
                service/  store/  store/sql_store   service/replies, service/observations
                requests  sql_reads

A read returns only rows of the visible sources: a failed attempt does not count if another attempt
is open or has succeeded (`store.visible_sources`). No read holds a connection between two pages, so
a slow caller blocks no other.

The program starts without its database, and serves as soon as the database answers
(`service.connection`). While the database is unavailable, callers get UNAVAILABLE and try again;
the numbers of the reports make these repeats harmless.
"""
