"""What every program that serves does alike: its log, settings' values, port, probes, its end.

Belongs here: what two of them would otherwise write twice, at their rim.
Does not belong here: a decision, or anything that only one program needs.
May import: `api`. May be imported by: the programs that serve, `runner` and `trialwatch`.
"""
