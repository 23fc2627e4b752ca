"""Pods as processes of this machine: a pod's document in, its status as the kubelet tells it out.

Belongs here: what the kubelet does with containers (order, restarts, deadline, grace), volumes as
directories, and the processes that do it.
Does not belong here: why there is a pod, what becomes of its status, what its metrics mean.
May import: `launcher`, `collector`, `webhook.pods.wrapping`, `api`. May be imported by: `runner`.

`documents` reads a pod, `environment`, `expansion` and `places` say what a container gets of this
machine, `launches` puts it together: all of that is pure. `life` and `container` are the kubelet's
loops. The processes are three deep, so that nothing outlives the runner, however it ends:

    runner ── spawner ── one shim for each container ── the container's own process ── ...
"""
