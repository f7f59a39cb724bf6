"""The HTTP face of the cloud: every router in one list, behind the same manners.

Order of the layers a request passes: last resort, counting, body limit, recognition of the caller, endpoint.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI, Response

from cloud.estate import endpoints as estate
from cloud.identity import endpoints as identity
from cloud.identity.callers import Authentication
from cloud.kit.http import BODY_BYTES_MAX, BodyLimit, LastResort, install_error_handlers
from cloud.kit.telemetry import HttpMetrics, metrics_page
from cloud.services import Services

API = "/api/v1"
# Paths whose bodies may be larger than the common bound, in bytes.
BODY_LIMITS: tuple[tuple[str, int], ...] = (("/gateway/v1/batches", 8 << 20),)


def routers(services: Services) -> Sequence[APIRouter]:
    """Return the routers of `/api/v1`, one line for each domain."""
    return (
        identity.build_router(services.database, services.passwords, secure_cookies=services.secure_cookies),
        estate.build_router(services.database),
    )


def build_api(services: Services) -> FastAPI:
    """Return the application."""
    app = FastAPI(title="Gatehouse", version="1", docs_url=None, redoc_url=None, openapi_url=f"{API}/openapi.json")
    install_error_handlers(app)
    for router in routers(services):
        app.include_router(router, prefix=API)
    app.include_router(_health(services))
    app.add_middleware(Authentication, database=services.database)
    app.add_middleware(BodyLimit, limit=BODY_BYTES_MAX, limits=BODY_LIMITS)
    app.add_middleware(HttpMetrics, registry=services.registry)
    app.add_middleware(LastResort)
    return app


def _health(services: Services) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Answer once the database does."""
        await services.database.ping()
        return {"state": "ready"}

    @router.get("/metrics")
    async def metrics() -> Response:
        """Answer the counters of this process."""
        return metrics_page(services.registry)

    return router
