from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import RemoteError, TrialwatchError, UserError
from api.types import Json
from tests.webhook.registry.image_documents import digest_of, image, index
from webhook.model.images import ImageCommand
from webhook.registry.manifests import (
    Index,
    Manifest,
    check_digest,
    choose,
    read_config,
    read_manifest,
)

ARM, AMD, WINDOWS = image(architecture="arm64"), image(), image(["cmd"])
MANY = {
    "windows/amd64": WINDOWS.manifest,
    "linux/amd64": AMD.manifest,
    "linux/arm64": ARM.manifest,
    "unknown/unknown": image(["attestation"]).manifest,
}


def as_index(platforms: list[str]) -> Index:
    read = read_manifest(index({one: MANY[one] for one in platforms}).body)
    assert isinstance(read, Index)
    return read


@pytest.mark.parametrize("docker", [False, True])
def test_both_forms_of_a_manifest_lead_to_the_command(*, docker: bool) -> None:
    made = image(["sh", "-c"], ["echo $HOME"], docker=docker)

    read = read_manifest(made.manifest.body)

    assert isinstance(read, Manifest)
    assert read.config.digest == made.config.digest
    assert read_config(made.config.body) == ImageCommand(
        entrypoint=("sh", "-c"), cmd=("echo $HOME",)
    )


@pytest.mark.parametrize("docker", [False, True])
def test_the_image_for_the_given_platform_is_chosen(*, docker: bool) -> None:
    read = read_manifest(index(MANY, docker=docker).body)

    assert isinstance(read, Index)
    assert choose(read, ("arm64",)).digest == ARM.manifest.digest
    assert choose(read, ("amd64", "arm64")).digest == AMD.manifest.digest
    assert choose(read, ("s390x", "arm64")).digest == ARM.manifest.digest


def test_a_missing_platform_is_named_with_the_existing_ones() -> None:
    with pytest.raises(
        UserError, match="does not exist for linux/s390x, only for linux/amd64, windows"
    ):
        choose(as_index(["linux/amd64", "windows/amd64"]), ("s390x",))


def test_an_image_of_an_index_without_platforms_is_taken_as_it_is() -> None:
    body = json.dumps({"manifests": [AMD.manifest.descriptor()]}).encode()

    read = read_manifest(body)

    assert isinstance(read, Index)
    assert choose(read, ("arm64",)).digest == AMD.manifest.digest


@given(st.permutations(list(MANY)), st.sampled_from(["amd64", "arm64"]))
def test_the_order_of_an_index_changes_no_choice(order: list[str], architecture: str) -> None:
    chosen = choose(as_index(order), (architecture,))

    assert chosen.digest == MANY[f"linux/{architecture}"].digest


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b"null",
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"schemaVersion": 1, "fsLayers": []}',
        b'{"manifests": {}}',
        b'{"manifests": [{}]}',
        b'{"manifests": [7]}',
        b'{"config": {"digest": "sha256:short"}}',
        b'{"config": {"digest": "md5:d41d8cd98f00b204e9800998ecf8427e"}}',
        b'{"config": "text"}',
        # Both at once: two readers could see two images in it.
        json.dumps({"manifests": [], "config": AMD.config.descriptor(), "layers": []}).encode(),
        json.dumps({"manifests": [], "layers": []}).encode(),
    ],
)
def test_a_document_that_is_not_a_manifest_is_refused(body: bytes) -> None:
    with pytest.raises(RemoteError):
        read_manifest(body)


@pytest.mark.parametrize(
    ("body", "command"),
    [
        (b'{"config": null, "rootfs": {}}', ImageCommand()),
        (b'{"rootfs": {}}', ImageCommand()),
        (b'{"config": {"Entrypoint": null, "Cmd": ["a"]}}', ImageCommand(cmd=("a",))),
        (b'{"config": {"Entrypoint": [], "Cmd": null}}', ImageCommand()),
        (b'{"os": "linux", "config": {"Entrypoint": [""]}}', ImageCommand(entrypoint=("",))),
    ],
)
def test_a_configuration_may_lack_fields(body: bytes, command: ImageCommand) -> None:
    assert read_config(body) == command


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"config": []}',
        b'{"config": {"Entrypoint": "sh -c"}}',
        b'{"config": {"Cmd": [1]}}',
        b'{"config": {"Cmd": {"a": "b"}}}',
        b'{"os": "windows", "config": {"Cmd": ["cmd"]}}',
    ],
)
def test_a_configuration_that_is_not_for_linux_is_refused(body: bytes) -> None:
    with pytest.raises(TrialwatchError):
        read_config(body)


_JSON: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(
                ["config", "manifests", "digest", "platform", "os", "Cmd", "Entrypoint", "layers"]
            )
            | st.text(),
            inner,
        )
    ),
)


@given(_JSON)
def test_any_json_is_read_or_refused(content: Json) -> None:
    body = json.dumps(content).encode()
    for read in (read_manifest, read_config):
        # Any other error fails the test.
        with contextlib.suppress(TrialwatchError):
            read(body)


@given(st.binary(), st.binary())
def test_changed_bytes_do_not_match_the_digest(body: bytes, other: bytes) -> None:
    check_digest(body, digest_of(body))
    if body != other:
        with pytest.raises(RemoteError, match="does not match its digest"):
            check_digest(other, digest_of(body))


@pytest.mark.parametrize("digest", ["", "sha256:", "md5:" + "0" * 32, "SHA256:" + "0" * 64])
def test_an_unknown_kind_of_digest_is_refused(digest: str) -> None:
    with pytest.raises(RemoteError, match="unknown kind of digest"):
        check_digest(b"", digest)
