"""Jobs on this machine: the work of Kubernetes' Job controller, for Jobs and bare Pods.

Belongs here: the supported kinds, the pods of a job with retries and limits, the job's status as
Kubernetes writes it, and `controller.driver.ports.Jobs` for all jobs of a run.
Does not belong here: how a pod runs (`runner.pods`), what a job's end means for its trial.
May import: `runner.devices`, `runner.pods`, `runner.state`, `controller`, `webhook`, `collector`,
`api`.
May be imported by: `runner`.
"""
