"""Pods as processes of this machine: a pod's document in, its status as the kubelet writes it out.

Belongs here: the kubelet's work with containers (order, restarts, deadline, grace period), volumes
as directories, and the processes that do this work.
Does not belong here: why a pod runs, the use of its status, the meaning of its metrics.
May import: `launcher`, `collector`, `webhook.pods.wrapping`, `api`. May be imported by: `runner`.

`pod_spec` reads a pod. `environment`, `expansion` and `bind_mounts` compute what a container gets
from this machine, and `container_launch` combines it; all of these are pure. `pod_lifecycle` and
`container_lifecycle` are the kubelet's loops. There are three levels of processes, so that no
process outlives the runner:

    runner ── spawner ── one shim for each container ── the container's own process ── ...
"""
