"""Each overlay renders as its golden says: standalone in full, the others as differences from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.manifests.difference import Rendering, difference, rendering
from tests.manifests.kustomize import MANIFESTS, OVERLAYS, objects, rendered

GOLDENS = Path(__file__).parent / "goldens"
FULL = "standalone"
Golden = Callable[[Path, str], None]


def without_schemas(text: str) -> str:
    """Leave out the CRDs: they are files of their own already, and they are long."""
    documents = text.split("---\n")
    return "---\n".join(d for d in documents if "\nkind: CustomResourceDefinition\n" not in d)


def without_schemas_of(overlay: str) -> str:
    return without_schemas(rendered(MANIFESTS / "overlays" / overlay))


def test_the_standalone_overlay_renders_as_its_golden(golden: Golden) -> None:
    golden(GOLDENS / f"{FULL}.yaml", without_schemas_of(FULL))


@pytest.mark.parametrize("overlay", sorted({*OVERLAYS} - {FULL}))
def test_an_overlay_differs_from_standalone_as_its_golden_says(
    overlay: str, golden: Golden
) -> None:
    standalone = rendering(FULL, without_schemas_of(FULL))

    text = difference(standalone, rendering(overlay, without_schemas_of(overlay)))

    golden(GOLDENS / f"{overlay}.diff", text)


def test_every_overlay_has_one_golden() -> None:
    assert sorted(path.stem for path in GOLDENS.iterdir()) == OVERLAYS


def test_a_difference_shows_each_line_that_is_added_changed_or_gone() -> None:
    text = (GOLDENS / f"{FULL}.yaml").read_text()
    standalone = rendering(FULL, text)
    nothing = difference(standalone, rendering("other", text))

    for title, document in standalone.objects.items():
        lines = document.splitlines(keepends=True)
        for number, line in enumerate(lines):
            if line.split(":")[0].strip() in {"kind", "metadata", "name", "namespace"}:
                continue
            for instead in ("", f"{line}{line}", f"{line[:-1]}x\n"):
                changed = "".join([*lines[:number], instead, *lines[number + 1 :]])
                objects = {**standalone.objects, title: changed}
                shown = difference(standalone, Rendering(name="other", objects=objects))
                assert f"=== changed: {title}\n" in shown
                assert shown != nothing


def test_a_difference_names_an_object_that_is_added_and_one_that_is_gone() -> None:
    base = rendering("base", "kind: A\nmetadata:\n  name: a\n")
    other = rendering("other", "kind: B\nmetadata:\n  name: b\n  namespace: team\nspec: 1\n")

    shown = difference(base, other)

    assert "=== only here: B team/b\nkind: B\n" in shown
    assert shown.endswith("\n=== not here: A a\n")


def test_a_difference_refuses_another_order_of_objects() -> None:
    a, b = "kind: A\nmetadata:\n  name: a\n", "kind: B\nmetadata:\n  name: b\n"
    base, other = rendering("base", f"{a}---\n{b}"), rendering("other", f"{b}---\n{a}")

    with pytest.raises(ValueError, match="another order"):
        difference(base, other)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_object_is_there_twice(overlay: str) -> None:
    keys = [
        (o["apiVersion"], o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"])
        for o in objects(MANIFESTS / "overlays" / overlay)
    ]

    assert len(keys) == len(set(keys))
