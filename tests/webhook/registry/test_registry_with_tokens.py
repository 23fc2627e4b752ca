"""A real registry that needs tokens, and the server that issues them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.webhook.registry.docker_registry import PASSWORD, USER, Registry, docker_registry
from tests.webhook.registry.image_documents import image
from tests.webhook.registry.image_lookups import asked
from tests.webhook.registry.pull_secret_documents import auth, docker_config
from tests.webhook.registry.token_server import TokenServer
from webhook.model.images import ImageCommand
from webhook.model.lookups import ImageUnknown

RUN = ImageCommand(entrypoint=("python",), cmd=("main.py",))


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> TokenServer:
    return TokenServer(tmp_path_factory.mktemp("tokens"))


@pytest.fixture(scope="module")
def domain(tokens: TokenServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with docker_registry(tmp_path_factory.mktemp("registry"), tokens.auth) as registry:
        for repository in ("public/trainer", "team/trainer"):
            token = tokens.token(repository, ["pull", "push"])
            port = int(registry.domain.split(":")[1])
            Registry(port, {"Authorization": f"Bearer {token}"}).push(repository, image(), tag="7")
        yield registry.domain


@pytest.fixture
async def serving(tokens: TokenServer) -> AsyncIterator[TokenServer]:
    tokens.asked.clear()
    async with tokens.served():
        yield tokens


async def test_a_token_for_a_public_image_needs_no_login(domain: str, serving: TokenServer) -> None:
    assert await asked(f"{domain}/public/trainer:7") == RUN
    assert serving.asked == [("repository:public/trainer:pull", None)]


async def test_a_login_gets_a_token_for_a_private_image(domain: str, serving: TokenServer) -> None:
    secrets = {"s": docker_config({domain: (USER, PASSWORD)})}

    assert await asked(f"{domain}/team/trainer:7", secrets) == RUN
    login = f"Basic {auth(USER, PASSWORD)}"
    assert serving.asked == [("repository:team/trainer:pull", login)]


async def test_a_token_without_rights_leads_to_a_refusal(domain: str, serving: TokenServer) -> None:
    answer = await asked(f"{domain}/team/trainer:7")

    assert isinstance(answer, ImageUnknown)
    assert "no imagePullSecret of the pod has a login for it" in answer.cause
    assert len(serving.asked) == 1


async def test_a_login_without_a_token_is_named_in_the_cause(
    domain: str, serving: TokenServer
) -> None:
    secrets = {"s": docker_config({domain: (USER, "guessed")})}

    answer = await asked(f"{domain}/team/trainer:7", secrets)

    assert isinstance(answer, ImageUnknown)
    assert "does not let the login of the pod's imagePullSecrets read" in answer.cause
    assert len(serving.asked) == 1
