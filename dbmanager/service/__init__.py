"""The gRPC services over a store.

Belongs here: reading requests and writing replies, pages, health, metrics, and the connection to a
database that may be away.
Does not belong here: how rows are stored (`dbmanager.store`), ports and flags (the program).
May import: `dbmanager.store`, `serving`, `api`. May be imported by: the DB manager's program,
`runner`.
"""
