"""The log: one JSON object a line on standard error, for people and for machines.

A module writes `_log = get_logger(__name__)` and `_log.info("listening", address=address)`. The
standard library's logging carries the records, so those of other libraries have the same form.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

import structlog


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module; keywords of its calls become fields of the line."""
    logger: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[structlog.stdlib.filter_by_level, _as_record],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    return logger


class JsonLines(logging.Formatter):
    """Writes `time`, `level`, `message`, `logger`, then the fields, then a trace if any."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record as one line."""
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, object] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            "logger": record.name,
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def start_logging(stream: TextIO | None = None, *, level: int = logging.INFO) -> None:
    """Send what this process logs from a level on, libraries included, to the stream."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(capture=True)


class PlainLines(logging.Formatter):
    """Writes `PREFIX: message: cause`, for a person at a terminal; other fields as `name=value`."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._prefix = prefix

    def format(self, record: logging.LogRecord) -> str:
        """Write one record as one line, without a trace."""
        fields = dict(getattr(record, "fields", {}))
        cause = fields.pop("cause", "")
        others = [f"{name}={value}" for name, value in fields.items()]
        return ": ".join(
            part for part in (self._prefix, record.getMessage(), cause, *others) if part
        )


def start_plain_logging(prefix: str) -> None:
    """Send warnings and errors to standard error as `PlainLines`."""
    handler = _CurrentStderr()
    handler.setFormatter(PlainLines(prefix))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)


class _CurrentStderr(logging.StreamHandler[TextIO]):
    """Writes to the `sys.stderr` of the moment: a live table replaces it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        self.stream = sys.stderr
        super().emit(record)


def _as_record(_logger: Any, _method: str, event: Any) -> dict[str, Any]:  # noqa: ANN401 - structlog's own types
    """Return the arguments of the standard logger's call."""
    message, error = event.pop("event"), event.pop("exc_info", None)
    return {"msg": message, "exc_info": error, "extra": {"fields": event}}
