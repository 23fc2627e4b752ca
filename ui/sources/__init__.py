"""Where the pages read experiments, trials, points and logs: one port.

    port ──┬─> local   the state directory of `trialwatch run`, and its SQLite store
           └─> ui.testing  in memory, held to the same contract (`tests/ui/sources`)

Belongs here: reading, and noticing that something has changed. A source returns the objects of
`api.types`, never JSON.
Does not belong here: what a page shows of them (`ui.model`); HTTP towards the browser.
May import: `ui.model`, `runner`, `dbmanager`, `controller`, `kube`, `api`. May be imported by:
`ui.server`, and by `trialwatch`, which chooses one.
"""
