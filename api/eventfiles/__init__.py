"""The messages in TensorFlow's event files, as far as trialwatch reads them.

Belongs here: `event.proto`, and its code from `make proto`.
Does not belong here: code written by hand; how records are found in a file (`filters.event_files`).
May import: protobuf. May be imported by: `filters.event_files`, and the tests.
"""
