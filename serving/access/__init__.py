"""Who calls a gRPC server, by the token of each call, and whether a program's policy allows it.

Belongs here: the callers, the ways to refuse a call, the settings, and the interceptor that applies
a policy to each call.
Does not belong here: the policy (each program has its own), and the check of a token's signature
(`serving.tokens`).
May import: the other modules of `serving`, `api`. May be imported by: the programs that serve gRPC.

| module | what for |
|---|---|
| `callers` | pure: an identity becomes a caller: a sidecar or a manager |
| `refusals` | pure: why a call is refused, and what happens to calls without a token |
| `authentication` | the caller of a call, by its metadata |
| `interceptor` | asks the policy about each call before the call's own code runs |
| `settings`, `setup` | the flags, and what they make |

| caller | proof |
|---|---|
| a sidecar | a token for the audience of its trial, bound to its pod |
| a manager | a token for `trialwatch.dev/manager`, of a service account that the settings list |
| a person | another token, which a program may check with the API server |
| no one known | no token: only with `--auth permissive` |

Health and reflection are open to all. A call that the policy does not allow ends with
PERMISSION_DENIED, one without a valid token with UNAUTHENTICATED.

**Time.** A sidecar's token counts for an hour after its expiry (`REPORT_LEEWAY`). The kubelet
renews a token when a fifth of its time is left. So a sidecar that cannot get a new one, because
the API server is away or the pod is ending, can still report for more than an hour. Such a token
is good for one trial, and one pod. The tokens of managers end a minute after their expiry.
"""
