"""Jobs on this machine: what Kubernetes' Job controller does, for the kinds that need no operator.

Belongs here: which kinds run here, the pods of a job with their retries and limits, the job's
status as Kubernetes writes it, and `controller.driver.ports.Jobs` over all that.
Does not belong here: how a pod runs (`runner.pods`), what a job's end means for its trial.
May import: `runner.pods`, `runner.state`, `controller`, `webhook`, `collector`, `api`.
May be imported by: `runner`.
"""
