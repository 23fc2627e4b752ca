"""Points that come by calls: the local HTTP server of the sidecar, and what it answers.

Belongs here: the server for the containers of the pod (`server`), the call that pushes metrics
(`push`, `push_body`), the calls of MLflow's client (`mlflow_route`), and which of these a collector
needs (`receivers`).
Does not belong here: how accepted points are kept (`collector.journal`); MLflow's API itself
(`collector.mlflow`).
May import: `collector.journal`, `collector.mlflow`, `collector.core`, `filters`, `api`. May be
imported by: the rest of `collector`.

A collector imports this package only if its flags ask for it: other sidecars stay as small as they
are. The server is the standard library's: it needs 20 MB less than aiohttp, starts in a few
milliseconds, and answers a call on an open connection in 40 us of CPU. Each connection has a
thread, and `server.MOST_CONNECTIONS` bounds them.

Security: the server listens on 127.0.0.1, which the containers of a pod share and other pods cannot
reach, and on a Unix socket in the run directory. Any container of the pod may push: it could as
well print. A browser may not: a request with the header `Origin`, or for a host name that is not
of this machine, is refused. Sizes, times and connections are bounded, and no body is trusted.
"""
