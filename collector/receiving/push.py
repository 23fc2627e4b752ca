"""The call that pushes metrics: `POST /push`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence

from api.errors import Unavailable
from collector.journal.journal import PerhapsAccepted
from collector.receiving.http_values import Request, Response, Route, json_response
from collector.receiving.push_body import PushRefused, read_push
from filters.journal_finder import JournalPoint

PATH = "/push"


def push_route(metrics: Sequence[str], accept: Callable[[Iterable[JournalPoint]], None]) -> Route:
    """Return the route; `accept` is `Journal.append`.

    | status | body                                  | meaning                                  |
    |--------|---------------------------------------|------------------------------------------|
    | 200    | `{"accepted": 2, "ignored": ["lr"]}`  | on the disk: each is stored exactly once |
    | 400    | `{"error": "...", "field": "loss"}`   | nothing of it is stored: correct it      |
    | 503    | `{"error": "..."}`                    | nothing of it is stored: try again       |
    | 500    | `{"error": "..."}`                    | the disk fails: it may be stored         |
    """
    names, one_body = dict.fromkeys(metrics), threading.Lock()

    def push(request: Request) -> Response:
        if request.method not in ("POST", "PUT"):
            why = f"{request.method} is not supported; use POST with a JSON object"
            return json_response(405, {"error": why, "metrics": list(names)})
        try:
            with one_body:  # a large one takes much memory while it is read
                pushed = read_push(request.body, names)
        except PushRefused as refused:
            return json_response(400, {"error": str(refused), "field": refused.field})
        try:
            accept(pushed.points)
        except PerhapsAccepted as error:
            why = f"{error}; it is unknown whether the metrics will be stored"
            return json_response(500, {"error": why})
        except Unavailable as error:
            return json_response(503, {"error": f"{error}; try again"})
        answer = {"accepted": len(pushed.points), "ignored": list(pushed.ignored)}
        return json_response(200, answer)

    return push
