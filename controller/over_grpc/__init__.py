"""The driver's ports over gRPC services: the DB manager and the search.

Belongs here: channels, calls, their errors, and how a history is encoded.
Does not belong here: which service an algorithm has (`controller.search_router`).
May import: `controller.driver`, `controller.reconcile`, `api`. May be imported by: the
controller's program.
"""
