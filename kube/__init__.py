"""The cluster as a port: objects of any kind, as plain documents, in and out of Kubernetes' API.

Belongs here: the port (`cluster`), its values and errors; the official client behind it (`client`,
`connect`, `discovery`); for tests the same port in memory and over HTTP (`testing`); a kind's
objects kept up to date in memory (`watching`), an installation's settings by it
(`settings_source`); who may do what (`access`); Events that are said and not waited for (`events`);
which of several replicas works (`leading`), and that only this one writes (`fencing`).
Does not belong here: what an object means, and what any program does with it.
May import: `api`, and the log of `serving`. May be imported by: the programs that talk to a
cluster, `runner` and `trialwatch`.

    Cluster                    get, list, pages, watch, create, replace, patch, delete
    PodLogs, Authorizer        what a container printed; who may do what: both are that too
      KubernetesCluster        the API server, by the official client
      MemoryCluster            a dict, with versions, conflicts, and a history that is forgotten

Each port has one suite, tests/contracts/{cluster,pod_logs}.py; both are held to it, and a real API
server is too.
"""
