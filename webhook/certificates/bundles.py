"""The `caBundle` of a webhook configuration: changes the webhook's own authorities in it only.

A bundle is a sequence of certificates in PEM, which may have comments between them. The webhook's
own authorities are recognized by their subject (`issued.is_authority_of`), and stand at its end.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from api.documents import items_at, mapping_at, mappings_at, value_at
from api.types import Json, JsonObject
from webhook.certificates.issued import Service, is_authority_of

_BLOCK = re.compile(
    r"-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----(?:\r?\n)?", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """The pieces of a bundle in their order: certificates in PEM, and other text."""

    pieces: tuple[tuple[bool, str], ...]
    """For each piece: whether it is a certificate, and its text."""

    @property
    def certificates(self) -> tuple[str, ...]:
        """The certificates alone, each ended by a newline."""
        return tuple(_normal(text) for is_cert, text in self.pieces if is_cert)

    def only(self, wanted: Callable[[str], bool]) -> str:
        """Return the text without the certificates for which `wanted` is false."""
        return "".join(
            text for is_cert, text in self.pieces if not is_cert or wanted(_normal(text))
        )


def split_bundle(text: str) -> Bundle:
    """Split a bundle into its pieces; nothing is lost."""
    pieces: list[tuple[bool, str]] = []
    at = 0
    for match in _BLOCK.finditer(text):
        pieces += [(False, text[at : match.start()]), (True, match[0])]
        at = match.end()
    pieces.append((False, text[at:]))
    return Bundle(pieces=tuple(piece for piece in pieces if piece[1]))


def own_authorities_in(bundle: Bundle, service: Service) -> tuple[str, ...]:
    """Return the webhook's own authorities in a bundle."""
    return tuple(pem for pem in bundle.certificates if is_authority_of(service, pem))


def with_own_authorities(bundle: Bundle, authorities: Sequence[str], service: Service) -> str:
    """Return the bundle's text with these own authorities, and no other own ones."""
    existing = set(bundle.certificates)
    text = bundle.only(lambda pem: pem in authorities or not is_authority_of(service, pem))
    if not text.strip():
        text = ""
    if text and not text.endswith("\n"):
        text += "\n"
    return text + "".join(pem for pem in authorities if pem not in existing)


def bundles_of(configuration: JsonObject, service: Service) -> Iterator[Bundle]:
    """Yield the bundle of each entry of a configuration that calls the service."""
    for client in _clients(configuration, service):
        yield split_bundle(_text(client.get("caBundle")))


def trust_patch(
    configuration: JsonObject, authorities: Sequence[str], service: Service
) -> JsonObject:
    """Return the merge patch that makes each entry for the service trust these authorities.

    It names the version of the configuration, so it applies to that version only.
    """
    clients = list(_clients(configuration, service))
    version = value_at(configuration, "metadata", "resourceVersion")
    return {
        "metadata": {"resourceVersion": version},
        "webhooks": [
            _trusting(entry, authorities, service)
            if isinstance(entry, dict) and entry.get("clientConfig") in clients
            else entry
            for entry in items_at(configuration, "webhooks")
        ],
    }


def _trusting(webhook: JsonObject, authorities: Sequence[str], service: Service) -> JsonObject:
    client = webhook["clientConfig"]
    assert isinstance(client, dict)  # noqa: S101 - `_clients` found it
    text = with_own_authorities(split_bundle(_text(client.get("caBundle"))), authorities, service)
    bundle = base64.b64encode(text.encode("utf-8", "surrogateescape")).decode()
    return {**webhook, "clientConfig": {**client, "caBundle": bundle}}


def _clients(configuration: JsonObject, service: Service) -> Iterator[JsonObject]:
    for webhook in mappings_at(configuration, "webhooks"):
        client = mapping_at(webhook, "clientConfig")
        called = mapping_at(client, "service")
        if (called.get("name"), called.get("namespace")) == (service.name, service.namespace):
            yield client


def _text(bundle: Json) -> str:
    try:
        return base64.b64decode(str(bundle or "")).decode("utf-8", "surrogateescape")
    except ValueError:
        return ""


def _normal(block: str) -> str:
    return block.replace("\r\n", "\n").rstrip("\n") + "\n"
