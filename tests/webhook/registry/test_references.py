from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import UserError
from webhook.registry.references import parse_reference

DIGEST = "sha256:" + "0123456789abcdef" * 4

# A written name -> its meaning in containerd -> the address of the registry.
READ = [
    ("python", "docker.io/library/python:latest", "https://registry-1.docker.io"),
    ("python:3.12", "docker.io/library/python:3.12", "https://registry-1.docker.io"),
    ("team/trainer:7", "docker.io/team/trainer:7", "https://registry-1.docker.io"),
    ("docker.io/python:3", "docker.io/library/python:3", "https://registry-1.docker.io"),
    ("index.docker.io/team/x", "docker.io/team/x:latest", "https://registry-1.docker.io"),
    ("ghcr.io/a/b/c:v1.2", "ghcr.io/a/b/c:v1.2", "https://ghcr.io"),
    ("registry:5000/x", "registry:5000/x:latest", "https://registry:5000"),
    ("Registry/x", "Registry/x:latest", "https://Registry"),
    ("registry/x", "docker.io/registry/x:latest", "https://registry-1.docker.io"),
    ("localhost/x", "localhost/x:latest", "https://localhost"),
    ("localhost:443/x", "localhost:443/x:latest", "https://localhost:443"),
    ("localhost:5000/x", "localhost:5000/x:latest", "http://localhost:5000"),
    ("127.0.0.1:5000/x:1", "127.0.0.1:5000/x:1", "http://127.0.0.1:5000"),
    ("127.9.9.9:80/x:1", "127.9.9.9:80/x:1", "http://127.9.9.9:80"),
    ("[::1]:5000/x:1", "[::1]:5000/x:1", "http://[::1]:5000"),
    ("[fd00::7]:5000/x:1", "[fd00::7]:5000/x:1", "https://[fd00::7]:5000"),
    ("10.0.0.1:5000/x:1", "10.0.0.1:5000/x:1", "https://10.0.0.1:5000"),
    ("localhost.example:5000/x:1", "localhost.example:5000/x:1", "https://localhost.example:5000"),
    (f"python@{DIGEST}", f"docker.io/library/python@{DIGEST}", "https://registry-1.docker.io"),
    (f"ghcr.io/x:7@{DIGEST}", f"ghcr.io/x@{DIGEST}", "https://ghcr.io"),
    ("a__b/c-d--e.f:_.x", "docker.io/a__b/c-d--e.f:_.x", "https://registry-1.docker.io"),
]


@pytest.mark.parametrize(("image", "whole", "origin"), READ, ids=[image for image, *_ in READ])
def test_a_short_name_has_containerds_meaning(image: str, whole: str, origin: str) -> None:
    reference = parse_reference(image)

    assert str(reference) == whole
    assert reference.origin == origin


@pytest.mark.parametrize("image", [image for image, *_ in READ])
def test_a_whole_name_means_itself(image: str) -> None:
    reference = parse_reference(image)

    assert parse_reference(str(reference)) == reference


@pytest.mark.parametrize(
    "image",
    [
        "",
        " ",
        "Python",
        "docker.io/Team/x",
        "x:",
        "x@sha256:12",
        "x:tag@",
        "-x",
        "x-",
        "a..b/c/",
        "ghcr.io/",
        "ghcr.io/x y",
        "ghcr.io/x?y=1",
        "ghcr.io/../x",
        "ghcr.io/x#y",
        "user@ghcr.io/x",
        "https://ghcr.io/x",
        "ghcr.io:99999/x",
        "ghcr.io/x:" + "t" * 129,
        "x" * 256,
        "0123456789abcdef" * 4,
        "x\n",
        "ghcr.io/x:٣",
        "a/" * 5_000,
        "a" + "-" * 100_000,
    ],
)
def test_an_invalid_name_is_refused(image: str) -> None:
    with pytest.raises(UserError):
        parse_reference(image)


@given(st.text() | st.text(alphabet="aA0.:/@-_[]"))
def test_any_text_is_a_name_that_stays_itself_or_is_refused(image: str) -> None:
    try:
        reference = parse_reference(image)
    except UserError:
        return

    assert parse_reference(str(reference)) == reference
    assert bool(reference.tag) != bool(reference.digest)
    assert reference.origin.isascii()
