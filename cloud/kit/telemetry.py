"""Logs and metrics of a cloud process. Neither ever carries personal data or a secret.

Logs are one JSON object a line on standard error. A field whose name is that of personal data is masked whatever it
holds: a last net, since events are not given such fields in the first place.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud.kit.clock import monotonic_s
from cloud.kit.httpapi import route_of

PERSONAL_FIELDS = frozenset(
    {"name", "phone", "plate", "id_number", "card", "openid", "address", "email", "password", "token", "code", "secret"}
)
_MASKED = "***"


def configure_logging(process: str) -> None:
    """Send every log of the process, the libraries' too, to standard error as JSON lines."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            mask_personal,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")


def mask_personal(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask the fields that personal data would stand in: a structlog processor."""
    del logger, method
    for field in PERSONAL_FIELDS & event.keys():
        event[field] = _MASKED
    return event


class HttpMetrics:
    """Middleware: count and time requests by the template of their route, never by their path."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        labels = ["method", "route"]
        self._requests = Counter("gatehouse_http_requests", "Requests", [*labels, "status"], registry=registry)
        self._seconds = Histogram("gatehouse_http_seconds", "Time of a request", labels, registry=registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and note how it was answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_s = monotonic_s()
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            method, route = scope["method"], route_of(scope)
            self._requests.labels(method, route, str(status)).inc()
            self._seconds.labels(method, route).observe(monotonic_s() - started_s)


def metrics_page(registry: CollectorRegistry) -> Response:
    """Return the metrics in the text form that Prometheus reads."""
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
