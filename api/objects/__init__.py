"""The objects of `kubeflow.org/v1beta1` as users write them: text and JSON in, `api.types` out.

Belongs here: reading and writing `Experiment`, `Suggestion` and `Trial` as Kubernetes JSON, their
defaults, and each rule about them that can be checked without a cluster.
Does not belong here: look-ups in a cluster, the wire, files, the clock.
May import: `api.types`, `api.errors`, `api.gjson`. May be imported by: every program that reads
such objects.

Modules: `yamltext` (text -> JSON), `fields` (reading JSON by a schema), one module for each type
with its `parse_...` and `render_...` functions, `defaults`, and `validation` with its parts.
"""
