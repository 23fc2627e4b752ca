"""The store in PostgreSQL: rows go in by COPY.

Belongs here: what only PostgreSQL needs.
Does not belong here: queries and rules that other databases share (`dbmanager.store`).
May import: `dbmanager.store`, `api`. May be imported by: `dbmanager`.
"""
