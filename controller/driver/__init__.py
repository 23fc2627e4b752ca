"""The driver: makes a view, asks the core for actions, carries them out, until none is left.

Belongs here: the ports that the driver needs, their in-memory implementations, the request to the
search, and the queue of keys to reconcile.
Does not belong here: what is due (`controller.reconcile`), and how a cluster or a service answers.
Nothing here does I/O: all of it goes through `ports`.
May import: `controller.reconcile`, `api`. May be imported by: the rest of `controller`, `runner`.
"""
