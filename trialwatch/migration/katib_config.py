"""katib-config at each stage of a migration, from the text that Katib's installation had.

| stage | collectors that trialwatch has | algorithms that trialwatch has, without `pbt` |
|---|---|---|
| katib | Katib's image | Katib's images |
| webhook | trialwatch's image | Katib's images |
| search | trialwatch's image | trialwatch's image, which Katib's controller deploys |
| controller | trialwatch's image | no entry: the controller calls trialwatch's own service |

Entries for other kinds and algorithms stay as they are, at every stage.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from api.algorithms import ALGORITHMS, WITH_CHECKPOINTS
from api.documents import mapping_at, mappings_at, text_at
from api.installation.text import read_config
from api.objects.yamlout import dump_objects
from api.types import JsonObject

COLLECTED: Final = ("StdOut", "File", "TensorFlowEvent")
"""The kinds of collectors that trialwatch's image serves."""
OWN_STOPPINGS: Final = ("medianstop",)
_MEMORY: Final = "1536Mi"
"""What the search needs; Katib's default for it is 100Mi."""


EDITED: Final = (
    "katib-config was edited since the migration began: make the same edit in the key"
    " katib-config.yaml of the ConfigMap trialwatch-migration, so that it is not lost; or, if only"
    " the images differ, give --images and --tag as before"
)
"""What to do about a text that no stage has."""


class Stage(IntEnum):
    """How far a migration has come; each stage contains those before it."""

    KATIB = 0
    STORE = 1
    WEBHOOK = 2
    SEARCH = 3
    CONTROLLER = 4

    @property
    def word(self) -> str:
        """The name of the step that leads here."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """The images of trialwatch: `PREFIX/PROGRAM:TAG`."""

    prefix: str
    tag: str

    def of(self, program: str) -> str:
        """Return the image of a program."""
        return f"{self.prefix}/{program}:{self.tag}"


def at_stage(original: str, stage: Stage, images: Images) -> str:
    """Return the text of katib-config at a stage; up to `STORE`, it is Katib's own text.

    Raises:
        SetupError: the text is not YAML.
    """
    if stage <= Stage.STORE:
        return original
    document = parsed(original)
    runtime = dict(mapping_at(document, "runtime"))
    runtime["metricsCollectors"] = _collectors(runtime, images)
    searches = mappings_at(runtime, "suggestions")
    if searches and stage is Stage.SEARCH:
        runtime["suggestions"] = [_search(entry, images) for entry in searches]
    if searches and stage is Stage.CONTROLLER:
        runtime["suggestions"] = [entry for entry in searches if not _is_ours(entry)]
    if stage is Stage.CONTROLLER and "earlyStoppings" in runtime:
        runtime["earlyStoppings"] = [
            entry
            for entry in mappings_at(runtime, "earlyStoppings")
            if text_at(entry, "algorithmName") not in OWN_STOPPINGS
        ]
    return dump_objects([{**document, "runtime": runtime}])


def is_at(current: str, original: str, stage: Stage, images: Images) -> bool:
    """Return whether a text says what katib-config says at a stage."""
    return parsed(current) == parsed(at_stage(original, stage, images))


def is_edited(current: str, original: str, images: Images) -> bool:
    """Return whether a text says what katib-config says at no stage: someone has changed it."""
    return not any(is_at(current, original, stage, images) for stage in Stage)


def kept_algorithms(original: str) -> tuple[str, ...]:
    """Return the algorithms that only Katib's images have: they stay Katib's."""
    entries = mappings_at(parsed(original), "runtime", "suggestions")
    return tuple(text_at(one, "algorithmName") for one in entries if not _is_ours(one))


def parsed(text: str) -> JsonObject:
    """Return the document. Raises SetupError if the text is not YAML."""
    return read_config(text, lambda document, _: document)


def _collectors(runtime: JsonObject, images: Images) -> list[JsonObject]:
    entries = mappings_at(runtime, "metricsCollectors")
    missing = [
        {"kind": kind}
        for kind in COLLECTED
        if kind not in [text_at(entry, "kind") for entry in entries]
    ]
    return [
        {**entry, "image": images.of("collector")} if entry.get("kind") in COLLECTED else entry
        for entry in (*entries, *missing)
    ]


def _search(entry: JsonObject, images: Images) -> JsonObject:
    if not _is_ours(entry):
        return entry
    limits = {**mapping_at(entry, "resources", "limits"), "memory": _MEMORY}
    resources = {**mapping_at(entry, "resources"), "limits": limits}
    return {**entry, "image": images.of("suggestion"), "resources": resources}


def _is_ours(entry: JsonObject) -> bool:
    name = text_at(entry, "algorithmName")
    return name in ALGORITHMS and name not in WITH_CHECKPOINTS
