"""The pages of experiments, for a browser: the same on a laptop and on a cluster.

Belongs here: what a page shows as values (`ui.model`), where it is read from (`ui.sources`), the
HTTP server with its API (`ui.server`), and the built program of the browser
(`dist`, from the TypeScript in `web/`).
Does not belong here: decisions about an experiment (`controller`, `webhook`), the command line
(`trialwatch`).
May import: every program, `runner`, `filters`, `kube`, `serving`, `api`. May be imported by:
`trialwatch`.

From the objects to a painted page:

    state directory, API server, observations
        ──> sources  one port; each implementation keeps the same contract
        ──> model    pure: Experiment, trials and points to the values of a page
        ──> server   /api/v1 as JSON, and one stream of Server-Sent Events for each page
        ──> web      Preact; it formats and draws, and decides nothing

`make ui` builds `web/` into `ui/dist`, which git ignores. A wheel carries that folder. Without it,
the server answers with one line that names the word that builds it.

No page gets all points of an experiment: curves are reduced to the least and the greatest point of
each bucket (`model.curves`), and the curve of an ended trial is read once (`server.pages`).
"""
