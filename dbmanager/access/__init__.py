"""Who may call the DB manager, and with which trial.

Belongs here: the policy (pure: `policy`), the caller of a token (pure: `callers`), and the
interceptor that applies both to each call.
Does not belong here: the check of a token's signature (`serving.tokens`), the calls themselves
(`dbmanager.service`).
May import: `dbmanager.service`, `dbmanager.store`, `kube` (`access` alone), `serving`, `api`. May
be imported by: the DB manager's program alone, so an embedded store needs no keys.

| caller | reports | reads | deletes |
|---|---|---|---|
| a sidecar: a token for its trial | this trial, with its pod's sources | no | no |
| a manager: a token for `trialwatch.dev/manager` | yes | yes | yes |
| a person who may `get trials` in the namespace | no | this namespace | no |
| no token, `--auth required` | no | no | no |
| no token, `--auth permissive` | trials without reports by tokens | the same | the same |

Health and reflection are open to all. A call that no row allows ends with PERMISSION_DENIED, one
without a valid token with UNAUTHENTICATED.

**Namespace and trial** of a sidecar are those of its token. `trialwatch-namespace` may be missing,
and must not differ.

**A source belongs to a pod**: a sidecar's source begins with `pod:UID:`, and UID must be that of
its token. So no state is needed to bind it, and a restart of the manager forgets nothing. Without
a token no such source can be used.

**The numbers of a source** may jump by `MOST_JUMP` at once. A jump that far is an error or an
attack: the highest possible number would make all later reports of the source repeats.

**Time.** A sidecar's token counts for an hour after its expiry (`REPORT_LEEWAY`). The kubelet
renews a token when a fifth of its time is left. So a sidecar that cannot get a new one, because
the API server is away or the pod is ending, can still report for more than an hour. Such a token
is good for reports of one pod alone. The tokens of managers end a minute after their expiry, and
the API server decides about those of persons.
"""
