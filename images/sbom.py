"""Writes which packages are in an image, or in an environment: CycloneDX 1.6, as JSON.

    python sbom.py NAME FOLDER           of the packages in a folder (`pip install --target`)
    python sbom.py NAME --requires WHAT  of what a package in this environment requires

The same packages give the same bytes: there is no time and no random number in it. It needs the
standard library alone, so that no further package takes part in the build of an image.
"""

from __future__ import annotations

import json
import os
import re
import sys
import uuid
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9._-]+)[^;]*(;.*)?")
_LAUNCHER = "trialwatch/_packages/launcher/launch"

Components = Mapping[str, Distribution]
"""Packages by canonical name."""


def main(words: list[str]) -> int:
    """Write the document to standard output; return the exit status."""
    match words:
        case [name, "--requires", what]:
            found = dict(_required_by(what, by_name(distributions())))
            document = sbom(name, found)
        case [name, folder]:
            found = by_name(distributions(path=[folder]))
            document = sbom(name, found, linked=_linked(Path(folder, _LAUNCHER)))
        case _:
            sys.stderr.write(__doc__ or "")
            return 2
    json.dump(document, sys.stdout, indent=2, sort_keys=True)
    sys.stdout.write("\n")
    return 0


def by_name(found: Iterable[Distribution]) -> dict[str, Distribution]:
    """Return distributions by canonical name; of two of one name the first, as Python does."""
    known: dict[str, Distribution] = {}
    for one in found:
        known.setdefault(_canonical(one.name), one)
    return known


def sbom(name: str, found: Components, linked: Iterable[dict[str, Any]] = ()) -> dict[str, Any]:
    """Return the document: `linked` are components that are not packages of Python."""
    components = [*(_component(found[one]) for one in sorted(found)), *linked]
    subject = {"type": "application", "bom-ref": name, "name": name}
    if "trialwatch" in found:
        subject["version"] = found["trialwatch"].version
    relations = [
        {"ref": _purl(one), "dependsOn": sorted(_purl(found[n]) for n in _requires(one, found))}
        for one in found.values()
    ]
    every = {"ref": name, "dependsOn": sorted(one["bom-ref"] for one in components)}
    body: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": subject},
        "components": components,
        "dependencies": [every, *sorted(relations, key=lambda one: str(one["ref"]))],
    }
    number = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(body, sort_keys=True))
    return {**body, "serialNumber": f"urn:uuid:{number}"}


def _component(one: Distribution) -> dict[str, Any]:
    purl = _purl(one)
    component = {
        "type": "library",
        "bom-ref": purl,
        "name": one.name,
        "version": one.version,
        "purl": purl,
    }
    licence = _licence(one)
    return {**component, "licenses": [licence]} if licence else component


def _licence(one: Distribution) -> dict[str, Any] | None:
    """Return the expression of the package, or else the names that it gives."""
    if expression := _field(one, "License-Expression"):
        return {"expression": expression[0]}
    classifiers = _field(one, "Classifier")
    named = [text.split(" :: ")[-1] for text in classifiers if text.startswith("License :: ")]
    text = next(iter(_field(one, "License")), "").strip()
    short = text if "\n" not in text else ""
    name = " AND ".join(named) or short
    return {"license": {"name": name}} if name else None


def _field(one: Distribution, name: str) -> list[str]:
    return [str(text) for text in one.metadata.get_all(name) or []]


def _linked(launcher: Path) -> Iterator[dict[str, Any]]:
    """Yield the C library that is part of the static launcher; it is that of this machine."""
    if launcher.exists():
        library, version = (os.confstr("CS_GNU_LIBC_VERSION") or "libc unknown").split()
        purl = f"pkg:generic/{library}@{version}"
        names = {"bom-ref": purl, "purl": purl, "name": library, "version": version}
        yield {"type": "library", **names}


def _required_by(what: str, known: Components) -> Iterator[tuple[str, Distribution]]:
    wanted, seen = [_canonical(what)], set()
    while wanted:
        name = wanted.pop()
        if name not in seen:
            seen.add(name)
            yield name, known[name]
            wanted += _requires(known[name], known)


def _requires(one: Distribution, known: Components) -> list[str]:
    """Return the names of what a package requires, as far as it is installed; no extras."""
    parsed = [_REQUIREMENT.match(text) for text in one.requires or []]
    plain = [match[1] for match in parsed if match and "extra" not in (match[2] or "")]
    return sorted({_canonical(name) for name in plain} & known.keys() - {_canonical(one.name)})


def _purl(one: Distribution) -> str:
    return f"pkg:pypi/{_canonical(one.name)}@{one.version}"


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
