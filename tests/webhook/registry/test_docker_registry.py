"""A real registry, Debian's: public, and behind a password."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api.types import JsonObject
from tests.webhook.registry.docker_registry import (
    PASSWORD,
    USER,
    Registry,
    as_user,
    basic_auth,
    docker_registry,
)
from tests.webhook.registry.image_documents import image, index
from tests.webhook.registry.image_lookups import asked
from tests.webhook.registry.pull_secret_documents import CFG_TYPE, auth, docker_config, pull_secret
from webhook.model.images import ImageCommand
from webhook.model.lookups import ImageUnknown

RUN = ImageCommand(entrypoint=("python",), cmd=("main.py",))


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with docker_registry(tmp_path_factory.mktemp("public")) as registry:
        yield registry


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image that one user may read."""
    folder = tmp_path_factory.mktemp("private")
    with docker_registry(folder, basic_auth(folder), as_user()) as registry:
        yield registry.push("team/trainer", image(), tag="7")


@pytest.mark.parametrize("docker", [False, True])
async def test_an_image_is_looked_up_by_tag_and_by_digest(
    public: Registry, *, docker: bool
) -> None:
    made = image(["/bin/train"], ["--lr", "$(LR)"], docker=docker)
    name = public.push("a/b/trainer", made, tag=f"docker-{docker}")
    command = ImageCommand(entrypoint=("/bin/train",), cmd=("--lr", "$(LR)"))

    assert await asked(name) == command
    assert await asked(f"{name}@{made.manifest.digest}") == command


@pytest.mark.parametrize("docker", [False, True])
async def test_an_image_for_many_platforms_is_looked_up_for_the_pods_platform(
    public: Registry, *, docker: bool
) -> None:
    arm = image(["on-arm"], architecture="arm64", docker=docker)
    amd = image(["on-amd"], docker=docker)
    both = index({"linux/arm64": arm.manifest, "linux/amd64": amd.manifest}, docker=docker)
    name = public.push("many", arm, amd, index=both, tag=f"docker-{docker}")

    for architecture in ("arm64", "amd64"):
        answer = await asked(name, architecture=architecture)
        assert isinstance(answer, ImageCommand)
        assert answer.entrypoint == (f"on-{architecture[:3]}",)
    assert isinstance(await asked(name), ImageCommand)
    answer = await asked(name, architecture="s390x")
    assert isinstance(answer, ImageUnknown)
    assert "does not exist for linux/s390x, only for linux/amd64, linux/arm64" in answer.cause


async def test_an_image_that_runs_nothing_says_so(public: Registry) -> None:
    name = public.push("nothing", image(None, None), tag="1")

    assert await asked(name) == ImageCommand()


async def test_a_missing_image_is_named(public: Registry) -> None:
    answer = await asked(f"{public.domain}/no/such:7")

    assert answer == ImageUnknown(f"{public.domain} does not have {public.domain}/no/such:7")


async def test_a_password_from_the_pods_secrets_opens_a_private_image(private: str) -> None:
    domain = private.split("/", maxsplit=1)[0]
    login = {domain: (USER, PASSWORD)}

    assert await asked(private, {"s": docker_config(login)}) == RUN
    legacy = f'{{"http://{domain}/v2/team": {{"auth": "{auth(USER, PASSWORD)}"}}}}'
    assert await asked(private, {"s": pull_secret(legacy, CFG_TYPE)}) == RUN


async def test_a_second_login_is_tried_where_the_first_is_refused(private: str) -> None:
    domain = private.split("/", maxsplit=1)[0]
    logins = {f"{domain}/team": (USER, "of yesterday"), domain: (USER, PASSWORD)}

    assert await asked(private, {"s": docker_config(logins)}) == RUN


async def test_a_private_image_without_login_says_what_is_missing(private: str) -> None:
    domain = private.split("/", maxsplit=1)[0]
    for secrets in ({}, {"other": docker_config({"elsewhere.example": (USER, PASSWORD)})}):
        answer = await asked(private, secrets)
        assert answer == ImageUnknown(
            f"{domain}/team/trainer does not exist or is private, and no imagePullSecret of the pod"
            " has a login for it"
        )


async def test_the_message_about_a_refused_login_has_no_user_and_password(private: str) -> None:
    domain = private.split("/", maxsplit=1)[0]

    answer = await asked(private, {"s": docker_config({domain: (USER, "guessed")})})

    assert isinstance(answer, ImageUnknown)
    assert "does not let the login of the pod's imagePullSecrets read" in answer.cause
    assert "guessed" not in answer.cause
    assert USER not in answer.cause


async def test_secrets_that_cannot_be_used_are_in_the_cause(private: str) -> None:
    opaque: JsonObject = {"type": "Opaque", "data": {}}

    answer = await asked(private, {"wrong-type": opaque})

    assert isinstance(answer, ImageUnknown)
    assert "imagePullSecret wrong-type: not a pull secret" in answer.cause
