"""The store in PostgreSQL. It writes rows with COPY.

Belongs here: what only PostgreSQL needs.
Does not belong here: queries and rules that other databases share (`dbmanager.store`).
May import: `dbmanager.store`, `api`. May be imported by: `dbmanager`.
"""
