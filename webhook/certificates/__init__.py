"""The webhook's certificate: mounted from a Secret, or made, trusted and renewed by the webhook.

Belongs here: certificates, the bundles that the API server trusts, and the TLS context for new
connections.
Does not belong here: the server; it gets a context, and asks whether there is a certificate.
May import: `kube`, `api`. May be imported by: the webhook's program, `webhook.authority`.

Pure: `rotation` (the next step), `reconcile_once` (reads, and at most one step, as a generator of
operations), `stored` and `bundles` (the documents), `issued` and
`x509_parts` (X.509; its keys are random). I/O:
`reloading_tls` (TLS), `certificate_source` (the background task), `files` (--cert-dir),
`self_signed` (--self-signed).

    bundles, Secret, time ──> next_step ──> mint, write, or trust ──> reconcile again
    bundles.py, stored.py     rotation.py   reconcile_once.py         self_signed.py

- **The state of a rotation is in the Secret alone.** Every replica may take every step; the
  Secret's version decides whose step counts.
- **Trusted first, then served, then dropped.** Each step waits until all replicas and API servers
  know the step before. The tests interleave replicas at every operation, kill them there and skew
  their clocks: a client with any bundle of the last minute must verify what every replica serves
  (`tests/webhook/certificates/test_interleaved.py`).
- **The bundles are read before the Secret.** So the Secret knows every own authority in them,
  unless that authority is no longer used. If the Secret is empty, the bundles are read again.
- **The key of an authority is deleted after one signature.** A user who reads the Secret can pose
  as the webhook, and as nothing else. A renewed certificate comes from a new authority.
- **New connections get the newest certificate** by a callback at the start of the handshake; open
  connections keep theirs. This holds for a mounted certificate too.
"""
