"""The pure core: one attempt after the other, in steps between which the collector may be killed.

Belongs here: the session, batches, the checkpoint, stop rules, retries, the summary, and the ports
that these need.
Does not belong here: how a stream is followed (`collector.streams`); system calls.
May import: `collector.streams`, `filters`, `api`. May be imported by: the rest of `collector`,
`runner`.
"""
