"""Whose share of the server a call uses, by its token."""

from __future__ import annotations

from typing import Any

import pytest

from serving.access.callers import Anonymous, Caller, Manager, Person, Sidecar
from serving.access.interceptor import AccessInterceptor
from serving.access.refusals import Reason, Unauthenticated
from serving.fair_budget import Client

METHOD = "/api.v1.beta1.DBManager/ReportObservationLog"


class FakeContext:
    """A call from a pod."""

    def peer(self) -> str:
        return "ipv4:10.0.0.7:4711"

    def invocation_metadata(self) -> None:
        return None

    def auth_context(self) -> dict[str, list[bytes]]:
        return {}


class FakeAuthentication:
    """Knows one caller."""

    def __init__(self, caller: Caller | None) -> None:
        self._caller = caller

    async def caller(self, _: object, *, over_tls: bool) -> Caller:
        assert not over_tls
        if self._caller is None:
            raise Unauthenticated(Reason.BAD_TOKEN, "forged")
        return self._caller


class Counted:
    """Counts refused calls."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def access_refused(self, reason: str) -> None:
        self.reasons.append(reason)

    def without_token(self, method: str) -> None:
        raise AssertionError(method)


async def client_of(caller: Caller | None, counts: Counted, method: str = METHOD) -> Client:
    unused: Any = None
    authentication: Any = FakeAuthentication(caller)
    context: Any = FakeContext()
    return await AccessInterceptor(authentication, unused, counts).client(method, context)


@pytest.mark.parametrize(
    ("caller", "share"),
    [
        (Sidecar(namespace="team-a", trial="t", pod_uid="1"), "namespace team-a"),
        (Sidecar(namespace="team-a", trial="u", pod_uid="2"), "namespace team-a"),
        (Manager(namespace="kubeflow", service_account="ui"), "manager kubeflow/ui"),
        (Person(token="perhaps", cause="?"), "ipv4:10.0.0.7"),
        (Anonymous(), "ipv4:10.0.0.7"),
    ],
)
async def test_sidecars_share_by_namespace_and_callers_without_an_identity_have_their_address(
    caller: Caller, share: str
) -> None:
    assert await client_of(caller, Counted()) == Client("ipv4:10.0.0.7", share)


async def test_a_forged_token_is_refused_and_counted_except_for_the_health() -> None:
    counts = Counted()
    with pytest.raises(Unauthenticated):
        await client_of(None, counts)
    health = await client_of(None, counts, "/grpc.health.v1.Health/Check")

    assert counts.reasons == ["bad-token"]
    assert health == Client("ipv4:10.0.0.7", "ipv4:10.0.0.7")
