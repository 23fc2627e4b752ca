"""Katib's protocol with a trainer: a shell around it, a marker file, the shell's pid.

Belongs here: code for pods that Katib's own webhook has prepared.
Does not belong here: code for a trainer under a launcher.
May import: `collector.core`, `collector.streams`, `api`. May be imported by: the collector's
program.
"""
