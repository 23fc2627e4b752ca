"""What all programs agree on: types, names, the sidecar's argv, the wire, the errors.

Belongs here: values that two programs exchange, and the words they exchange them in.
Does not belong here: files, sockets, clocks, or a decision that one program takes alone.
May import: nothing of ours. May be imported by: everything.

How an object is read and sent: `types` has the nouns. `objects` reads and writes them as Kubernetes
objects; a reader reports all faults of an object at once, each with the path of its field. Defaults
and rules are functions of their own. `wire` converts the same nouns to Katib's protobuf messages
(`v1beta1`) and to trialwatch's own (`trialwatchv1`). The webhook and the collector share `sidecar`
alone: the webhook writes the sidecar's argv, the collector reads it.

A job's conditions are read by `gjson`, trialwatch's own part of GJSON, because the one maintained
Python library is under the GPL. The answers in `tests/api/data/gjson.json` are those of the Go
library.
"""
