"""`python -m manifests.schema`, as `make crds`, writes schemas from the readers of objects.

From the readers to the cluster's own checks:

    api/objects/* ──> Shape: a field without a value ──> schema ──> manifests/crds, and
                      shape.py                             │    trialwatch/experiment.schema.json,
                                                           │    the tables of docs/experiment.md
                                                           │ texts, bounds, defaults, CEL: by path

The fields are known once. The functions that read objects run here over a field that has no value
and notes what it is asked for. What the CRDs add (texts, bounds, defaults, CEL) is keyed by a path,
and a test finds each path in the schema.

The API server refuses less than trialwatch's own rules, and nothing that they accept. A property
test compares the CEL rules with `api.objects.validation`, and a test on a cluster compares a real
API server with the stand-in of the tests.

Selectors and conditions in the manifests decide which pods reach the webhook. A table of pods tries
them case by case, on the stand-in and on a real API server (`tests/manifests/`).
"""

from __future__ import annotations

import json
from pathlib import Path

from api.objects.yamlout import dump_objects
from manifests.schema.documents import KINDS, document
from manifests.schema.editor import editor_schema
from manifests.schema.reference import with_reference

_ROOT = Path(__file__).resolve().parents[2]
FOLDER = _ROOT / "manifests" / "crds"
FOR_EDITORS = _ROOT / "trialwatch" / "experiment.schema.json"
REFERENCE = _ROOT / "docs" / "experiment.md"
HEAD = "# Made by `make crds` from the readers in api/objects and the rules in manifests/schema.\n"


def main() -> None:
    """Write each CRD, the schema for editors, and the reference of an Experiment."""
    for kind in KINDS:
        (FOLDER / f"{kind.plural}.yaml").write_text(HEAD + dump_objects([document(kind)]))
    FOR_EDITORS.write_text(json.dumps(editor_schema(), indent=2) + "\n")
    text = REFERENCE.read_text(encoding="utf-8")
    REFERENCE.write_text(with_reference(text), encoding="utf-8")


if __name__ == "__main__":
    main()
