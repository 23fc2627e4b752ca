"""The sidecar: tail > lines > filters > stop rules > batches > push.

Belongs here: what a trial's metrics go through between the trainer's output and the DB manager: the
program with the kernel's own calls, and its rooms `core`, `streams` and `katib`.
Does not belong here: how a line becomes points (`filters`), how the trainer is run (`launcher`).
May import: `filters`, `api`. May be imported by: `runner`.
"""
