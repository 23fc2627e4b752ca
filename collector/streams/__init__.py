"""Streams of bytes that continue across rotation, truncation and crashes.

Belongs here: the launcher's segments, a user's file at a path, event files below a directory,
positions in them, and the boundary between two attempts.
Does not belong here: the meaning of the bytes; system calls (`files` is the port).
May import: `filters` (for positions, and for when an event file began), `api`. May be imported by:
the rest of `collector`.
"""
