"""Streams of bytes that outlive rotation, truncation and crashes.

Belongs here: the launcher's segments, a user's file at a path, positions in them, and the boundary
between two attempts.
Does not belong here: what the bytes mean, and the kernel's own calls (`files` is the port).
May import: `api`. May be imported by: the rest of `collector`.
"""
