"""The wire as Katib speaks it, package `api.v1.beta1`.

Belongs here: `api.proto`, Katib's messages number by number, and what `make proto` makes of it.
Does not belong here: code written by hand; additions of ours (`api.trialwatchv1`).
May import: protobuf and grpc. May be imported by: `api.wire`, and the servers and clients.
"""
