"""What every authorizer is held to. A subclass gives the fixture `cluster`, which is one too.

It asks for nothing that has to be set up first, so a real API server can be held to it.
"""

from __future__ import annotations

from kube.access import Access, Authorizer, Decision, Requester

ADMINISTRATOR = Requester(name="admin", groups=("system:masters", "system:authenticated"))
STRANGER = Requester(
    name="stranger",
    uid="4711",
    groups=("system:authenticated",),
    extra={"example.org/city": ("Berlin",)},
)


def wanted(requester: Requester, verb: str = "create", resource: str = "jobs") -> Access:
    return Access(
        requester=requester,
        verb=verb,
        group="batch",
        version="v1",
        resource=resource,
        namespace="team",
    )


class AuthorizerContract:
    async def test_an_administrator_may_do_everything(self, cluster: Authorizer) -> None:
        assert (await cluster.decide(wanted(ADMINISTRATOR))).allowed
        assert (await cluster.decide(wanted(ADMINISTRATOR, resource="nothings"))).allowed

    async def test_a_stranger_may_do_nothing(self, cluster: Authorizer) -> None:
        decision = await cluster.decide(wanted(STRANGER))

        assert isinstance(decision, Decision)
        assert not decision.allowed

    async def test_who_has_no_name_may_do_nothing(self, cluster: Authorizer) -> None:
        nobody = Requester(groups=("system:unauthenticated",))

        assert not (await cluster.decide(wanted(nobody))).allowed
