"""A whole experiment on one machine: the same objects, the same sidecar, pods as processes.

Belongs here: the parts of a cluster that a laptop does not have: pods (`runner.pods`), jobs
(`runner.jobs`), objects as files (`runner.state`), GPUs for pods (`runner.devices`), and the loop
that carries out the decisions of the controller's core.
Does not belong here: decisions on trials (`controller`), the collection of metrics (`collector`),
changes of pods (`webhook`), output (`trialwatch`).
May import: every program; only `runner` combines them. May be imported by: `trialwatch`.

From a pod to processes:

    Job ──> jobs ──> Pod ──> webhook.pods.decision ──> Pod with its sidecar ──> pods.pod_lifecycle
            job_run, job_spec    jobs.injection                  commands, reports │
                                       shim ──> launcher ──> trainer <── spawner <─┘
                                       shim ──> collector

The pod is the same as in a cluster. The webhook's own decision changes it, its containers start in
the kubelet's order, and its status and the job's status are written as Kubernetes writes them. So
the controller's core works on both without a difference.

One process forks all others: the spawner. It has one thread, so a fork is safe. It has imported the
collector already, so a sidecar costs a fork (a whole pod that runs `true` takes 9 ms). It lives
longer than the runner: when its standard input ends, for any reason, it kills all containers, and
it holds the lock on the state until they are gone.

A shim guards each container. It is a child subreaper, keeps the container's log, and kills what the
container's first process leaves behind. If the shim or the spawner is killed, the other one or the
kernel ends the rest.

A volume is mounted at its path, in a mount namespace of the container's own. If the machine has no
such path (`/katib`), it is made on a small tmpfs over `/`, which shows all else as it is
(`pods.mounting`). If the kernel does not allow this, the paths are rewritten in command, args and
env, or the pod is refused.

After a crash a trainer that had ended by itself is not trained again. Its exit record and its
output are in the run directory, so the collector alone starts and delivers the rest
(`jobs.recovery`).
"""
