"""A whole experiment on one machine: the same objects, the same sidecar, pods as processes.

Belongs here: what a cluster does for an experiment and a laptop has to do itself: the pods
(`runner.pods`), the jobs, the objects kept as files, and the loop that carries out what the
controller's core decides.
Does not belong here: what is decided (`controller`), what is collected (`collector`), how a pod is
changed (`webhook`), how anything is shown (`trialwatch`).
May import: every program, as the one place where they meet. May be imported by: `trialwatch`.
"""
