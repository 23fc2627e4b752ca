"""Admission over HTTP: AdmissionReviews in, answers, log lines, Events and metrics out.

Belongs here: the form of an AdmissionReview, the handlers of pods and of experiments, the HTTP
server, its metrics, and the JSON patch of an answer.
Does not belong here: what is decided (`webhook.pods`, `webhook.experiments`).
May import: the rest of `webhook` but its program, `kube`, `serving`, `api`. May be imported by: the
webhook's program, `trialwatch`.
"""
