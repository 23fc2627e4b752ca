"""The embedded store: one SQLite file, one thread that writes to it.

Belongs here: what only SQLite needs.
Does not belong here: queries and rules that other databases share (`dbmanager.store`).
May import: `dbmanager.store`, `api`. May be imported by: `dbmanager`.
"""
