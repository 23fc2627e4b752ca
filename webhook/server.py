"""HTTP: the reviews, and what a cluster asks about the server itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from aiohttp import web

from api.errors import SpecError
from api.types import JsonObject
from kube.cluster import Ref
from kube.events import Events, Word
from kube.settings_source import ConfigSource
from serving.http import add_probes
from webhook import admission
from webhook.admission import Admission, NoReview
from webhook.config import Config
from webhook.judging import Judge, Judgement
from webhook.metrics import Metrics
from webhook.owners import MAX_DEPTH
from webhook.pods import Owner, read_head
from webhook.verdicts import Refuse, ReviewFacts

MOST_BYTES: Final = 8 * 1024 * 1024
"""Of a request: twice what the API server takes of an object, and the review around it."""
_SECONDS: Final = 10.0
"""What the API server waits where the request does not say."""
_MOST_SECONDS: Final = 30.0
_MARGIN: Final = 0.1
"""The part of the time that is left for the way back."""
_JSON: Final = "application/json"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the server is made of."""

    judge: Judge
    config: ConfigSource[Config]
    events: Events
    metrics: Metrics
    missing: Callable[[], list[str]]
    """Says what is yet to come before pods can be judged; empty when all is there."""
    read_seconds: float = _SECONDS
    """How long a request may take to arrive."""


class Reviews:
    """Answers reviews."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def answer(self, request: web.Request) -> web.Response:
        """Answer a review; what is none gets a 4xx."""
        started = asyncio.get_running_loop().time()
        try:
            asked = await self._read(request)
        except NoReview as error:
            return self._rejected(HTTPStatus.BAD_REQUEST, str(error))
        except web.HTTPException as error:
            return self._rejected(HTTPStatus(error.status), error.text or error.reason)
        try:
            return _json(await self._judged(asked, started, _deadline(request, started)))
        except RecursionError:
            return self._rejected(HTTPStatus.BAD_REQUEST, "the pod is nested too deeply")
        except Exception:  # noqa: BLE001 - whatever it is, the API server gets an answer
            _log.exception("a fault of ours", extra={"fields": {"uid": asked.uid}})
            self._parts.metrics.failed()
            message = "trialwatch could not judge the pod by a fault of its own; its log has more"
            return _json(admission.answer_of_a_fault(asked.uid, message))

    async def _read(self, request: web.Request) -> Admission:
        if request.content_type != _JSON:
            raise web.HTTPUnsupportedMediaType(text=f"send {_JSON}")
        try:
            async with asyncio.timeout(self._parts.read_seconds):
                body = await request.read()
        except TimeoutError:
            raise web.HTTPRequestTimeout(text="the request did not arrive in time") from None
        return admission.read_admission(body)

    async def _judged(self, asked: Admission, started: float, deadline: float) -> bytes:
        facts = ReviewFacts(namespace=asked.namespace, name=asked.name)
        parts = self._parts
        judgement = await parts.judge.judge(asked.pod, facts, parts.config.config, deadline)
        answer = admission.answer(asked, judgement.verdict)
        parts.metrics.judged(judgement.verdict, asyncio.get_running_loop().time() - started)
        if isinstance(judgement.verdict, Refuse):
            self._refused(asked, judgement, judgement.verdict)
        return answer

    def _refused(self, asked: Admission, judgement: Judgement, refuse: Refuse) -> None:
        """Log it, and tell the trial or whoever made the pod; a dry run touches nothing."""
        about = _whom_to_tell(asked, judgement)
        fields = {
            "reason": refuse.reason.value,
            "cause": str(refuse),
            "namespace": asked.namespace,
            "owner": str(about[0]) if about else None,
            "dryRun": asked.dry_run,
        }
        _log.warning("refused a pod", extra={"fields": fields})
        if about is not None and not asked.dry_run:
            ref, uid = about
            self._parts.events.tell(_word(ref, uid, refuse))

    def _rejected(self, code: HTTPStatus, message: str) -> web.Response:
        self._parts.metrics.rejected(code)
        _log.info("no review", extra={"fields": {"code": int(code), "cause": message}})
        return web.Response(status=code, text=f"{message}\n")


def application(parts: Parts, *, reviews: bool = True) -> web.Application:
    """Make the HTTP application; without `reviews` only what is asked about the server."""
    made = web.Application(client_max_size=MOST_BYTES)
    add_probes(made, parts.missing, parts.metrics.text)
    if reviews:
        made.router.add_post("/mutate-pod", Reviews(parts).answer)
    return made


def _word(about: Ref, uid: str, refuse: Refuse) -> Word:
    """Say it on the trial, or on who wanted the pod: the pod itself never comes to be."""
    message = f"a pod was refused ({refuse.reason}): {refuse}"
    return Word(about=about, uid=uid, reason="PodRefused", message=message)


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type=_JSON)


def _deadline(request: web.Request, started: float) -> float:
    """Return when the review must be over, as the API server's `timeout` says."""
    text = request.query.get("timeout", "").removesuffix("s")
    try:
        seconds = float(text)
    except ValueError:
        seconds = _SECONDS
    if not 0 < seconds <= _MOST_SECONDS:
        seconds = _SECONDS
    return started + seconds * (1 - _MARGIN)


def _whom_to_tell(asked: Admission, judgement: Judgement) -> tuple[Ref, str] | None:
    """Return the trial, else who made the pod, else nobody."""
    if judgement.trial is not None:
        return judgement.trial, judgement.trial_uid
    for owner in _owners(asked.pod)[:MAX_DEPTH]:
        if owner.controller and owner.name and owner.uid:
            ref = Ref(
                api_version=owner.api_version,
                kind=owner.kind,
                namespace=asked.namespace,
                name=owner.name,
            )
            return ref, owner.uid
    return None


def _owners(pod: JsonObject) -> tuple[Owner, ...]:
    try:
        return read_head(pod).owners
    except SpecError:
        return ()
