"""The files of an experiment on this machine, to show it and to resume it.

Belongs here: the paths of the state directory, its lock, objects as YAML files, and how a run that
has stopped before its end is recognized.
Does not belong here: the meaning of objects, when they are written, how they are shown.
May import: `api`, `controller`. May be imported by: `runner` and `trialwatch`.

    .trialwatch/NAMESPACE/EXPERIMENT/
        lock                held while a run is at work, and until its last process has ended
        experiment.yaml     the Experiment with its status
        suggestion.yaml     all trials that the search has suggested
        trials/NAME.yaml    one Trial
        jobs/NAME.yaml      its Job, with its status at each failure and at its end
        logs/NAME/POD/...   the logs of its containers, one file each
        pods/NAME/POD/...   volumes of pods; deleted when the trial has ended
        command.json        the command line of the last run
        report.html         a table and plots of the trials, written at the end of each run
        observations.db     the metrics (SQLite), unless --database names another database
"""
