"""katib-config as a text: the document alone, or the ConfigMap that has it."""

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
"""The key of a ConfigMap under which our section may stand alone."""


def read_config(text: str, read: Callable[[JsonObject, str], T]) -> T:
    """Read katib-config, or a ConfigMap that holds it; an empty text is an empty document.

    `read` takes the document, and the text of our own section where that stands alone.

    Raises:
        SetupError: the text is no YAML, or `read` found faults; names each with its path.
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
        raise SetupError(f"{names.CONFIG_MAP} has several documents; leave one")
    return documents[0]


def _texts_of(config_map: JsonObject) -> tuple[str, str]:
    root = Field(config_map).open_ended()
    texts = root.at("data").text_map()
    if names.CONFIG_MAP_KEY not in texts:
        root.at("data").require(f"must have the key {names.CONFIG_MAP_KEY}")
    root.accept(texts)
    return texts[names.CONFIG_MAP_KEY], texts.get(OWN_KEY, "")
