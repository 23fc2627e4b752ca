"""`python -m manifests.schema` writes manifests/crds; `make crds` says so."""

from __future__ import annotations

from pathlib import Path

from api.objects.yamlout import dump_objects
from manifests.schema.documents import KINDS, document

FOLDER = Path(__file__).resolve().parents[1] / "crds"
HEAD = "# Made by `make crds` from the readers in api/objects and the rules in manifests/schema.\n"


def main() -> None:
    """Write each CRD into its file."""
    for kind in KINDS:
        (FOLDER / f"{kind.plural}.yaml").write_text(HEAD + dump_objects([document(kind)]))


if __name__ == "__main__":
    main()
