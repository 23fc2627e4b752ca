"""Katib's protocol with a trainer: a shell around it, a marker file, the pid.

Belongs here: what only a pod needs that Katib's own webhook has prepared.
Does not belong here: what a trainer under our own launcher needs.
May import: `collector.core`, `collector.streams`, `api`. May be imported by: the collector's
program.
"""
