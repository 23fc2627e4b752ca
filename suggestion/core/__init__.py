"""What all searches share: pure functions from an experiment and its trials to the next points.

Belongs here: the interface of an algorithm, settings and their faults, the search space and its
distributions, the history, and the registry that loads an algorithm by name.
Does not belong here: any single algorithm (`suggestion.algorithms`), gRPC (`suggestion.service`).
May import: `api`. May be imported by: the other subpackages of `suggestion`, `runner`, and packages
that add an algorithm.
"""
