from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import UserError
from api.types import Json, JsonObject
from tests.webhook.registry.pull_secret_documents import CFG_TYPE, auth, docker_config, pull_secret
from webhook.registry.pull_secrets import Login, logins_for, read_entries

ANNA = Login(username="anna", password="secret:with:colons")

# A secret's entry, an image's name, and whether the kubelet uses the entry for the image.
OPENS = [
    ("ghcr.io", "ghcr.io/team/x", True),
    ("https://ghcr.io", "ghcr.io/team/x", True),
    ("http://ghcr.io/", "ghcr.io/team/x", True),
    ("https://ghcr.io/v2/", "ghcr.io/team/x", True),
    ("https://ghcr.io/v2/team", "ghcr.io/team/x", True),
    ("https://ghcr.io/v1/v2/", "ghcr.io/team/x", False),
    ("ghcr.io/team", "ghcr.io/team/x", True),
    ("ghcr.io/team", "ghcr.io/teams/x", True),
    ("ghcr.io/team/", "ghcr.io/teams/x", False),
    ("ghcr.io/other", "ghcr.io/team/x", False),
    ("ghcr.io:5000", "ghcr.io/team/x", False),
    ("ghcr.io", "ghcr.io:5000/team/x", False),
    ("ghcr.io:5000", "ghcr.io:5000/team/x", True),
    ("[::1]:5000", "[::1]:5000/x", True),
    ("*.example", "eu.example/x", True),
    ("*.example", "a.eu.example/x", False),
    ("*.*.example", "a.eu.example/x", True),
    ("r?.example", "r7.example/x", True),
    ("*", "ghcr.io/x", False),
    ("example", "eu.example/x", False),
    ("docker.io", "docker.io/library/python", True),
    ("https://index.docker.io/v1/", "docker.io/library/python", True),
    ("index.docker.io", "docker.io/library/python", True),
    ("https://index.docker.io/v1/", "ghcr.io/x", False),
    ("registry-1.docker.io", "docker.io/library/python", False),
]


@pytest.mark.parametrize(("place", "name", "opens"), OPENS)
def test_an_entry_is_for_the_same_images_as_in_the_kubelet(
    place: str, name: str, *, opens: bool
) -> None:
    entries = read_entries(docker_config({place: (ANNA.username, ANNA.password)}))

    assert logins_for(name, entries) == ((ANNA,) if opens else ())


def test_the_longer_path_comes_first_and_equal_logins_once() -> None:
    first = docker_config({"ghcr.io": ("wide", "1"), "ghcr.io/team": ("narrow", "2")})
    second = docker_config({"https://ghcr.io": ("wide", "1"), "*.io": ("wild", "3")})
    entries = [*read_entries(first), *read_entries(second)]

    found = [login.username for login in logins_for("ghcr.io/team/x", entries)]

    assert found == ["narrow", "wide", "wild"]


def test_the_old_name_of_docker_hub_counts_if_no_other_entry_matches() -> None:
    both = docker_config({"index.docker.io": ("old", "1"), "docker.io/team": ("new", "2")})

    assert [one.username for one in logins_for("docker.io/team/x", read_entries(both))] == ["new"]
    assert [one.username for one in logins_for("docker.io/else/x", read_entries(both))] == ["old"]


@pytest.mark.parametrize(
    "entry",
    [
        {"auth": auth("anna", "secret:with:colons")},
        {"auth": auth("anna", "secret:with:colons").rstrip("=")},
        {"username": "anna", "password": "secret:with:colons"},
        {"username": "other", "password": "x", "auth": auth("anna", "secret:with:colons")},
    ],
)
def test_both_forms_of_a_secret_hold_a_login_in_both_ways(entry: Json) -> None:
    new = pull_secret(json.dumps({"auths": {"ghcr.io": entry}}))
    old = pull_secret(json.dumps({"ghcr.io": entry}), CFG_TYPE)

    for secret in (new, old):
        assert logins_for("ghcr.io/x", read_entries(secret)) == (ANNA,)


def test_an_invalid_entry_does_not_hide_others() -> None:
    entries = {
        "a.io": {},
        "b.io": {"auth": "!"},
        "c.io": {"auth": auth("no-colon", "")[:8]},
        "d.io": 7,
        "e.io": {"auth": auth("anna", "1")},
    }

    found = read_entries(pull_secret(json.dumps({"auths": entries})))

    assert [entry.place for entry in found] == ["e.io"]


@pytest.mark.parametrize(
    "secret",
    [
        {},
        {"type": "Opaque", "data": {".dockerconfigjson": "e30="}},
        {"type": CFG_TYPE, "data": {".dockerconfigjson": "e30="}},
        {"type": CFG_TYPE, "data": {".dockercfg": "no base64"}},
        {"type": CFG_TYPE, "data": []},
        pull_secret("{"),
        pull_secret("[]"),
        pull_secret("{}"),
        pull_secret('{"auths": []}'),
        pull_secret("[" * 100_000),
    ],
)
def test_a_secret_that_is_not_a_pull_secret_raises_an_error(secret: JsonObject) -> None:
    with pytest.raises(UserError, match=r"^(its |not a pull secret: )"):
        read_entries(secret)


def test_a_password_is_in_no_message() -> None:
    assert "secret" not in repr(read_entries(docker_config({"ghcr.io": ("anna", "secret")})))


@given(st.text(), st.text(alphabet="a*?[]-.:/"), st.sampled_from(["ghcr.io/x", "docker.io/a/b"]))
def test_any_entry_matches_or_does_not_without_an_error(place: str, other: str, name: str) -> None:
    entries = read_entries(docker_config({place: ("anna", "1"), other: ("bert", "2")}))

    assert len(logins_for(name, entries)) <= len(entries)


@given(st.text(alphabet="abc.:/", min_size=1))
def test_a_login_of_one_host_is_never_for_another(path: str) -> None:
    """A host without patterns is only for images of that host, whatever its path."""
    entries = read_entries(docker_config({f"trusted.example/{path}": ("anna", "1")}))

    for stranger in ("trusted.example.evil/x", "xtrusted.example/x", "evil/trusted.example/x"):
        assert logins_for(stranger, entries) == ()
