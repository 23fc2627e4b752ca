"""What all programs agree on: types, names, the sidecar's argv, the wire, the errors.

Belongs here: values that two programs exchange, and the formats of these values.
Does not belong here: files, sockets, clocks, or a decision that only one program makes.
May import: no other package of trialwatch. May be imported by: everything.

How an object is read and sent: `types` defines experiments, trials and suggestions as frozen
values. `objects` reads and writes them as Kubernetes objects; a reader reports all faults of an
object at once, each with the path of its field. Defaults and rules are separate functions. `wire`
converts the same values to Katib's protobuf messages (`v1beta1`) and to trialwatch's own
(`trialwatchv1`). `documents` reads parts of documents whose shape is unknown. Webhook and collector
share only `sidecar`: the webhook writes the sidecar's argv, and the collector reads it.

`gjson` evaluates a job's conditions. It implements a part of GJSON, because the only maintained
Python library has the GPL as its license. The expected results in `tests/api/data/gjson.json` come
from the Go library.
"""
