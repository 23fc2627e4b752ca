"""The driver's ports over a Kubernetes cluster.

Belongs here: objects, jobs, pods, Events and deployed searches, read from watches and written to
the API server.
Does not belong here: what is due (`controller.reconcile`), and what a service answers
(`controller.over_grpc`).
May import: `controller.driver`, `controller.reconcile`, `kube`, `api`. May be imported by: the
controller's program.
"""
