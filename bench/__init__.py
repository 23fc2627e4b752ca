"""Figures as ratios inside one run: `make bench`, or `python -m bench PART`.

Belongs here: what is measured, the reference it is measured against, and the tables.
Does not belong here: assertions (a noisy machine fails no build), anything a program needs.
May import: everything. May be imported by: nothing.
"""
