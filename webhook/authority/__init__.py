"""The authority of trialwatch's own services: it signs the DB manager's certificate, and renews it.

Belongs here: the authorities and their Secret, the certificates of Services and their Secrets, and
the authorities that sidecars get.
Does not belong here: the webhook's own certificate (`webhook.certificates`), the plan of an
injection (`webhook.pods`).
May import: `webhook.certificates`, `webhook.model`, `kube`, `serving`, `api`. May be imported by:
the webhook's program.

Pure: `authorities` (X.509; keys are random), `stored` (the documents), `steps` (what is due). I/O:
`keeper` (--issue-for), `mounted` (--db-manager-ca); `injected_config` gives the authorities to the
injection.

| Secret | keys | read by |
|---|---|---|
| `trialwatch-ca` | `ca.crt`, `ca.key`, `next-ca.crt`, `next-ca.key`, `old-ca.crt` | the webhook |
| `SERVICE-cert` | `tls.crt`, `tls.key`, `ca.crt` (the bundle) | its pods; clients: `ca.crt` |

**Why the authority's key is kept**, unlike that of the webhook's own certificate: a sidecar gets
the authorities when its pod is created, and the pod may train for months. So certificates are
renewed under the same authority, which lives for ten years.

**A new authority** is added two years before the old one ends. For a year it is only trusted; then
it signs, and the old one stays trusted until it ends. So each pod that is younger than a year
trusts every certificate that is served.

    one       [1]           1 signs
    added     [1] next 2    both are trusted, 1 signs
    replaced  [2] old 1     both are trusted, 2 signs

**The state is in the Secrets alone**, and every replica may take every step; the Secret's version
decides whose step counts. If the Secret of the authorities was emptied, a replica writes back what
it has read before.
"""
