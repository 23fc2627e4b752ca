"""Streams of bytes that continue across rotation, truncation and crashes.

Belongs here: the launcher's segments, a user's file at a path, positions in them, and the boundary
between two attempts.
Does not belong here: the meaning of the bytes; system calls (`files` is the port).
May import: `api`. May be imported by: the rest of `collector`.
"""
