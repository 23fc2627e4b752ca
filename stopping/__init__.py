"""Rules that stop a running trial: curves in, verdicts out. Pure.

Belongs here: the curve of a metric, the rules, and their settings.
Does not belong here: where the values come from, how a trial ends, a clock, a file, a socket.
May import: `api`. May be imported by: every program.

From the values of all trials to the trials that must stop:

    Point ──> Curve ──> TrialHistory ──> StoppingRule.judge ──> Verdict (trial, why)
              curves                     interface              the controller ends the trial

A rule is a pure function of the goal and the histories of an experiment's trials. It has no
memory, so a judge that restarts decides the same. `registry` finds a rule by its name, through
entry points: the rules of trialwatch and of other packages are loaded in the same way.

`controller.driver.live_judge` follows the values of running trials, calls the rule, and marks the
trials. The rules that a trial gets when it is made, which its collector applies, are Katib's way;
`suggestion.algorithms.median_stop` has them.
"""
