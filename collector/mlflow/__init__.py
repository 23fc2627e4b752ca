"""The part of MLflow's tracking REST API that training code calls: requests in, answers out.

Belongs here: experiments, runs, what a run logs, and logged models, as MLflow's own clients call
them; which of the logged metrics are points of the trial; the state between two requests, as a
value and as bytes. All of it is pure.
Does not belong here: HTTP, files, and the way of a point to the store.
May import: `filters`, `api`. May be imported by: the rest of `collector`.

- **A metric is a point** if the experiment names it and its run has no parent run. Metrics that are
  the same in name, value, time and step are one point, as in MLflow's own store. So a client may
  send a request again whose answer was lost.
- **Artifacts stay with the trainer**: the answers name a directory, and MLflow's client writes
  there itself. No artifact passes through the sidecar.
- **Points first, then the reply**: `Answer.points` are kept before the reply is sent, then
  `accepted` is called. Where they cannot be kept, the client gets 503, and asks again.
- **The state is small**: it has each metric's last value, params and tags, and at most
  `api.MOST_STATE_BYTES`. Runs that have ended are forgotten first.
- **What is not answered is refused** with MLflow's own error codes, and with what to do instead.
"""
