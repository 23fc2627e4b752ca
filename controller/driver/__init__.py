"""The driver: makes a view, asks the core, carries out its actions, until nothing is due.

Belongs here: the ports that the driver needs, their in-memory implementations, the question to the
search, and the queue of keys to reconcile.
Does not belong here: what is due (`controller.reconcile`), and how a cluster or a service answers.
Nothing here does I/O: all of it goes through `ports`.
May import: `controller.reconcile`, `api`. May be imported by: the rest of `controller`, `runner`.
"""
