"""The wire that Katib has no words for, package `trialwatch.v1`.

Belongs here: `observations.proto` (summaries, pages, live reads), and what `make proto` gives.
Does not belong here: code written by hand; a message of Katib's.
May import: `api.v1beta1`, protobuf and grpc. May be imported by: the servers and clients.
"""
