"""The pure core: one attempt after another, in steps between which the collector may die.

Belongs here: the session, batches, the checkpoint, stop rules, retries, the summary, and the ports
that these need.
Does not belong here: how a stream is followed (`collector.streams`), and the kernel's own calls.
May import: `collector.streams`, `filters`, `api`. May be imported by: the rest of `collector`,
`runner`.
"""
