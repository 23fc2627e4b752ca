"""The gRPC services over a store: requests in, replies out.

Belongs here: decoding and encoding, paging, health, metrics, errors as gRPC codes, and the
connection to a database that comes and goes.
Does not belong here: how rows are kept (`dbmanager.store`), which port and flags there are.
May import: `dbmanager.store`, `serving`, `api`. May be imported by: the DB manager's program,
`runner`.
"""
