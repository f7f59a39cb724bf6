"""The door for batches: one POST in, one signed receipt out."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from fastapi import APIRouter, Request, Response

from cloud.fleet.answers import COSE, refusal_answer, status_of
from cloud.fleet.counters import GatewayMetrics
from cloud.ingest.service import Ingest
from common.wire.refusal import WireError

ENDPOINT = "batches"
_log = structlog.get_logger()


def build_router(ingest: Ingest, metrics: GatewayMetrics) -> APIRouter:
    """Return the endpoint that takes batches; the body limit of the application bounds what it reads."""
    router = APIRouter(prefix="/gateway/v1", tags=["gateway"])

    @router.post("/batches")
    async def take_batch(request: Request) -> Response:
        """Take a parcel in and answer with a receipt; with a problem document when the sender proved no gateway."""
        body = await request.body()
        try:
            answer = await ingest.take(body)
        except WireError as error:
            metrics.refused.labels(ENDPOINT, str(error.reason)).inc()
            _log.warning("batch_refused", reason=str(error.reason), size=len(body))
            return refusal_answer(error)
        metrics.accepted.labels(ENDPOINT, str(answer.outcome)).inc()
        status = HTTPStatus.OK
        if answer.refusal is not None:
            metrics.refused.labels(ENDPOINT, str(answer.refusal)).inc()
            _log.warning("batch_refused", reason=str(answer.refusal), size=len(body))
            status = status_of(answer.refusal)
        return Response(answer.receipt, status_code=status, media_type=COSE)

    return router
