"""Metrics of a cloud process that answers HTTP. They never carry personal data: no path, only the route's template."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud.kit.clock import monotonic_s
from cloud.kit.httpapi import route_of


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
