"""trialwatch's own gRPC services, which Katib does not have: package `trialwatch.v1`.

Belongs here: `observations.proto` (summaries, pages, live reads), and its code from `make proto`.
Does not belong here: code written by hand; Katib's messages.
May import: `api.v1beta1`, protobuf and grpc. May be imported by: the servers and clients.
"""
