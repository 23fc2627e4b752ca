"""Whether the commands of a trial can start on this machine: a check before the first trial.

Belongs here: which program and which script a command line needs, whether they are on this machine,
and the most similar file that is.
Does not belong here: starting anything (`runner.pods`); faults of an Experiment that do not depend
on the files of this machine (`runner.experiments`).
May import: `runner.jobs`, `runner.pods`, `api`. May be imported by: `runner`, `trialwatch`.

A command that would have run must never be refused. So a file counts as missing only if nothing
can bring it: no parameter of the trial is in its name, it is not in an emptyDir, and the pod has no
other container. If another container may bring it, there is a warning.

| module | what it does |
|---|---|
| `script_words` | finds the program and the script in a command line; pure |
| `local_files` | the port to the files of this machine, and its implementation |
| `container_commands` | checks the containers of a pod |
| `experiment_commands` | checks an Experiment |
"""
