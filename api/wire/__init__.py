"""The nouns of `api.types` on the wire of `api.v1beta1`, both ways.

Belongs here: for each noun a `..._to_wire` and a `..._from_wire`, pure and total. What one side
cannot represent raises UserError with field and value; each docstring says what comes back changed.
Does not belong here: a default, a rule, a call; what only one program sends.
May import: `api.types`, `api.objects`, `api.v1beta1`. May be imported by: every program.
"""
