"""The cluster as a port: reads and writes objects of any kind as plain documents.

Belongs here: the port and its values (`cluster`), its errors, and the official client behind it
(`client`, `requests`, `connect`, `discovery`); what programs build on the port: `watch_cache`,
`settings_source`, `events`, `access`, `leader_election`, `fencing`; the port in memory and over
HTTP for tests (`testing`).
Does not belong here: the meaning of an object, and a program's decisions about it.
May import: `api`, and the log of `serving`. May be imported by: the programs that talk to a
cluster, `runner` and `trialwatch`.

    Cluster                    get, list, pages, watch, create, replace, patch, delete
    PodLogs                    the logs of containers
      KubernetesCluster        both, by the official client: the API server
      MemoryCluster            both, in memory: a dict with versions, conflicts and a history

Lists and watches take a `Scope`: kind, namespace, name, labels. Each port has one suite of tests,
`tests/contracts/{cluster,pod_logs}.py`; MemoryCluster, KubernetesCluster over its HTTP, and a real
API server pass the same suite.

From the cluster to memory: a `WatchCache` lists a scope, watches from the list's version, and lists
again when the server has forgotten that version. What a cache holds is a moment old.

Writes of a leader: `LeaderElection` holds a Lease, and `FencedCluster` refuses each write of a
replica that no longer holds it.

Events: an `EventRecorder` posts in the background, counts repeats in one Event, and limits the
rate. A failed Event never fails its caller.
"""
