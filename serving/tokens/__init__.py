"""Tokens of Kubernetes' service accounts, checked offline by the API server's public keys.

Belongs here: reading keys, checking a token, and renewing the keys.
Does not belong here: what the owner of a token may do (a program's own policy), and tokens that
only the API server can check (TokenReview).
May import: `serving`, `api`. May be imported by: the programs that serve.

| module | what for |
|---|---|
| `verifier` | pure: a token, keys and a time become an identity, or a refusal with its reason |
| `jwks` | pure: the text of `/openid/v1/jwks` becomes keys |
| `discovery` | pure: the text of `/.well-known/openid-configuration` becomes the issuer |
| `key_ring` | the keys in use: when they are read again |
| `key_source` | reads the text of the keys from a file or from the API server |
| `https` | the requests to the API server |

**When a token ends.** A token has the time of its expiry. A caller of `check_time` gives the
seconds after it in which the token still counts. No program asks whether the token's pod still
exists: the API server refuses the token of a deleted pod, but the pod's sidecar may still deliver
its last lines.
"""
