"""Read the text of katib-config: the document itself, or a ConfigMap that contains it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from api import names
from api.errors import SetupError, SpecError
from api.objects.fields import Field
from api.objects.yamltext import load_objects
from api.types import JsonObject

T = TypeVar("T")
OWN_KEY: Final = "trialwatch.yaml"
"""The key of the ConfigMap that may contain trialwatch's own section."""


def read_config(text: str, read: Callable[[JsonObject, str], T]) -> T:
    """Read katib-config, or a ConfigMap that contains it; an empty text is an empty document.

    `read` gets the document, and the text under `OWN_KEY`, or "".

    Raises:
        SetupError: the text is not YAML, or `read` found faults; each with its path.
    """
    try:
        document = _document(text)
        own = ""
        if document.get("kind") == "ConfigMap":
            text, own = _texts_of(document)
            document = _document(text)
        return read(document, own)
    except SpecError as error:
        raise SetupError(f"{names.CONFIG_MAP} cannot be used: {error}") from None


def _document(text: str) -> JsonObject:
    documents = load_objects(text) or [{}]
    if len(documents) > 1:
        raise SetupError(f"{names.CONFIG_MAP} has several documents; keep one")
    return documents[0]


def _texts_of(config_map: JsonObject) -> tuple[str, str]:
    root = Field(config_map).open_ended()
    texts = root.at("data").text_map()
    if names.CONFIG_MAP_KEY not in texts:
        root.at("data").require(f"must have the key {names.CONFIG_MAP_KEY}")
    root.accept(texts)
    return texts[names.CONFIG_MAP_KEY], texts.get(OWN_KEY, "")
