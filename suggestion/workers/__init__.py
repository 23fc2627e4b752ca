"""Runs searches in processes of their own: limited in time and memory, one at a time a namespace.

Belongs here: the pool (`pool`), which call is next (`fair_queue`), one worker seen from the service
(`worker_process`), the worker itself (`python -m suggestion.workers`), and its limits.
Does not belong here: what a call means (`suggestion.service`), how a search decides.
May import: the other modules of `suggestion`, `serving`, `api`. May be imported by: the suggestion
program.

    gRPC call ──> SearchPool ──────> WorkerProcess ──pipe──> python -m suggestion.workers
    (bytes)       fair_queue, time   kill, restart           RLIMIT_DATA, service/search_calls

A thread cannot be interrupted and shares its memory with the whole service, so one search could
stop all others. A process can be killed. Requests and replies stay bytes in the service: the worker
decodes them, within its own limits.

A worker is started at its first call and then kept. It imports only the libraries of the algorithms
that it is asked for. The call that was served last has the worker that is asked first, so a service
with little to do has one warm worker.

`concurrent.futures` cannot end a running call. Pebble can, but its workers share one pipe with a
lock that a killed worker may hold, and it polls five times a second.
"""
