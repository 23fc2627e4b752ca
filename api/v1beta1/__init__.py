"""Katib's gRPC services: package `api.v1.beta1`.

Belongs here: `api.proto` (Katib's messages and field numbers), and its code from `make proto`.
Does not belong here: code written by hand; additions by trialwatch (`api.trialwatchv1`).
May import: protobuf and grpc. May be imported by: `api.wire`, and the servers and clients.
"""
