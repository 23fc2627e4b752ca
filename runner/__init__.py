"""A whole experiment on one machine: the same objects, the same sidecar, pods as processes.

Belongs here: what a cluster does for an experiment and a laptop has to do itself: the pods
(`runner.pods`), the jobs, the objects kept as files, and the loop that carries out what the
controller's core decides.
Does not belong here: what is decided (`controller`), what is collected (`collector`), how a pod is
changed (`webhook`), how anything is shown (`trialwatch`).
May import: every program, as the one place where they meet. May be imported by: `trialwatch`.

From a pod to processes:

    Job ──> jobs ──> Pod ──> webhook.pods.decision ──> Pod with its sidecar ──> pods.life
            run, forms       jobs.injection                        orders, reports │
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
