"""The store in MySQL or MariaDB. It writes rows with INSERT statements of many rows.

Belongs here: what only MySQL and MariaDB need.
Does not belong here: queries and rules that other databases share (`dbmanager.store`).
May import: `dbmanager.store`, `api`. May be imported by: `dbmanager`.
"""
