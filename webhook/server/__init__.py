"""Admission over HTTP: AdmissionReviews in; responses, log lines, Events and metrics out.

Belongs here: the format of an AdmissionReview, the handlers of pods, of experiments
and of CRDs, the HTTP server, its metrics, and the JSON patch of a response.
Does not belong here: the decisions (`webhook.pods`, `webhook.experiments`).
May import: the rest of `webhook` but its program, `kube`, `serving`, `api`. May be imported by: the
webhook's program, `trialwatch`.
"""
