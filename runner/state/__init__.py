"""What a run leaves on the disk, so that it can be looked at, and taken up again.

Belongs here: the state directory's places, its lock, and objects as YAML files.
Does not belong here: what an object means, when it is written, how it is shown.
May import: `api`, `controller`. May be imported by: `runner` and `trialwatch`.

    .trialwatch/NAMESPACE/EXPERIMENT/
        lock                held while a run is at work, and until its last process has ended
        experiment.yaml     the Experiment with its status
        suggestion.yaml     all that was asked of the search
        trials/NAME.yaml    one Trial
        jobs/NAME.yaml      its Job, with its status
        logs/NAME/POD/...   what its containers printed, a file for each
        pods/NAME/POD/...   volumes of pods; gone when the trial has ended
        report.html         the trials with plots, at the end of each run
        observations.db     the metrics (SQLite), unless --database names another database
"""
