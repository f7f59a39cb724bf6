"""The doors for gateways beside the one for batches: enrolment, key change, long poll."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from fastapi import APIRouter, Request, Response

from cloud.fleet.answers import CBOR, GatewayMetrics, refusal_answer
from cloud.fleet.downlink import Downlink
from cloud.kit.errors import ForbiddenError
from cloud.kit.httpapi import problem, status_of
from common.wire.refusal import WireError

_log = structlog.get_logger()


def build_gateway_router(downlink: Downlink, metrics: GatewayMetrics) -> APIRouter:
    """Return the endpoints that gateways call, outside the API of people."""
    router = APIRouter(prefix="/gateway/v1", tags=["gateway"])

    async def answered(endpoint: str, work: Callable[[bytes], Awaitable[bytes]], request: Request) -> Response:
        body = await request.body()
        try:
            answer = await work(body)
        except WireError as error:
            metrics.refused.labels(endpoint, str(error.reason)).inc()
            _log.warning("gateway_refused", endpoint=endpoint, reason=str(error.reason))
            return refusal_answer(error)
        except ForbiddenError as error:
            metrics.refused.labels(endpoint, "forbidden").inc()
            _log.warning("gateway_refused", endpoint=endpoint, reason="forbidden")
            return problem(status_of(error), str(error), reason="forbidden")
        metrics.accepted.labels(endpoint, "answered").inc()
        return Response(answer, media_type=CBOR)

    @router.post("/enrol")
    async def enrol(request: Request) -> Response:
        """Bind a gateway's key with a one-time code; answer its certificate and configuration."""
        return await answered("enrol", downlink.enrol, request)

    @router.post("/keys")
    async def change_key(request: Request) -> Response:
        """Take a gateway's next key in; answer its new certificate."""
        return await answered("keys", downlink.rotate, request)

    @router.post("/downlink")
    async def poll(request: Request) -> Response:
        """Answer bundles newer than the gateway has, as soon as there are any."""
        return await answered("downlink", downlink.poll, request)

    return router
