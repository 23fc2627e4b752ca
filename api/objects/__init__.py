"""The objects of `kubeflow.org/v1beta1` as users write them: text and JSON in, `api.types` out.

Belongs here: reading and writing `Experiment`, `Suggestion` and `Trial` as Kubernetes JSON, the
defaults of what is left out, and every rule about them that needs no cluster to be judged.
Does not belong here: a look-up in a cluster, the wire, a file. Nothing here reads a clock.
May import: `api.types`, `api.errors`, `api.gjson`. May be imported by: every program that takes
such objects.

Where to look: `yamltext` (text -> JSON), `fields` (how JSON is read), one module for each noun
with its `parse_...` and `render_...`, `defaults`, and `validation` with its parts.
"""
