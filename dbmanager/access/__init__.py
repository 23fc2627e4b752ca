"""Who may call the DB manager, and with which trial.

Belongs here: the policy (pure: `policy`), and what it needs of the store (`trial_access`) and of
the API server (`people`, `reviews`).
Does not belong here: who calls (`serving.access`), the calls themselves (`dbmanager.service`).
May import: `dbmanager.service`, `dbmanager.store`, `kube` (`access` alone), `serving`, `api`. May
be imported by: the DB manager's program alone, so an embedded store needs no keys.

| caller | reports | reads | deletes |
|---|---|---|---|
| a sidecar: a token for its trial | this trial, with its pod's sources | no | no |
| a manager: a token for `trialwatch.dev/manager` | yes | yes | yes |
| a person who may `get trials` in the namespace | no | this namespace | no |
| no token, `--auth required` | no | no | no |
| no token, `--auth permissive` | trials without reports by tokens | the same | the same |

**Namespace and trial** of a sidecar are those of its token. `trialwatch-namespace` may be missing,
and must not differ.

**A source belongs to a pod**: a sidecar's source begins with `pod:UID:`, and UID must be that of
its token. So no state is needed to bind it, and a restart of the manager forgets nothing. Without
a token no such source can be used.

**The numbers of a source** may jump by `MOST_JUMP` at once. A jump that far is an error or an
attack: the highest possible number would make all later reports of the source repeats.

The API server decides how long the tokens of persons count.
"""
