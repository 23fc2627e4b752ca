"""The webhook's certificate: mounted by others, or made, trusted and renewed by the webhook itself.

Belongs here: certificates, the bundle that the API server trusts, and what new connections get.
Does not belong here: the server; it takes a context, and asks whether there is a certificate.
May be imported by: the webhook's server.

Pure: `rotation` (what is to be done next), `turn` (one look and one step, as a generator of reads
and writes), `stored` and `bundles` (the documents), `issued` (X.509; what it makes is random). The
rim: `newest` (TLS), `attended` (the task), `files` (--cert-dir), `self_signed` (--self-signed).
"""
