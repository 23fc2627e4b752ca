"""Convert the values of `api.types` to the messages of `api.v1beta1`, and back.

Belongs here: for each type a `..._to_wire` and a `..._from_wire` function, pure and total. A value
that the other side cannot represent raises UserError with field and value. Each docstring says
which values change on the way.
Does not belong here: defaults, rules, calls; messages that only one program sends.
May import: `api.types`, `api.objects`, `api.v1beta1`. May be imported by: every program.
"""
