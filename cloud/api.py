"""The HTTP face of the cloud: every router in one list, behind the same manners; what no router knows is a page's.

Order of the layers a request passes: last resort, counting, body limit, recognition of the caller, endpoint.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI, Response

from cloud.access import endpoints as access
from cloud.arrears import endpoints as arrears
from cloud.billing import decision_endpoints as billing_decisions
from cloud.billing import endpoints as billing
from cloud.cases import endpoints as cases
from cloud.charges import endpoints as charges
from cloud.deposits import endpoints as deposits
from cloud.disclosure import endpoints as disclosure
from cloud.documents import endpoints as documents
from cloud.documents.seal_endpoints import build_seal_router
from cloud.estate import endpoints as estate
from cloud.fleet import endpoints as fleet
from cloud.identity import endpoints as identity
from cloud.identity.callers import Authentication
from cloud.imports import endpoints as imports
from cloud.imports.sheets import FILE_BYTES_MAX
from cloud.ingest import endpoints as ingest
from cloud.kit.httpapi import BODY_BYTES_MAX, BodyLimit, LastResort, install_error_handlers
from cloud.kit.telemetry import HttpMetrics, metrics_page
from cloud.ledger import endpoints as ledger
from cloud.ledger import period_endpoints as ledger_periods
from cloud.metering import endpoints as metering
from cloud.notices import endpoints as notices
from cloud.parking import endpoints as parking
from cloud.payments import endpoints as payments
from cloud.rating.service import rate_period
from cloud.reconciliation import endpoints as reconciliation
from cloud.reconciliation import transfers
from cloud.refunds import endpoints as refunds
from cloud.services import Services
from cloud.settlement import endpoints as settlement
from cloud.tariffs import endpoints as tariffs
from cloud.web.frame import Parts
from cloud.web.pages import build_web
from common.wire.limits import PARCEL_BYTES_MAX

API = "/api/v1"
GATEWAY = "/gateway/v1"
# Paths whose bodies may be larger than the common bound, in bytes.
FORM_ROOM = 1 << 16  # what surrounds a file in a form
BODY_LIMITS: tuple[tuple[str, int], ...] = (
    (f"{GATEWAY}/batches", PARCEL_BYTES_MAX),
    (f"{API}/imports/", FILE_BYTES_MAX + FORM_ROOM),
    ("/imports/", FILE_BYTES_MAX + FORM_ROOM),
)


def api_routers(services: Services) -> Sequence[APIRouter]:
    """Return the routers of `/api/v1`, for people and their programs: one line for each domain."""
    database = services.database
    return (
        identity.build_router(database, services.passwords, secure_cookies=services.secure_cookies),
        estate.build_router(database),
        fleet.build_router(database),
        tariffs.build_router(database),
        metering.build_router(database),
        cases.build_router(database),
        billing.build_router(database, rate_period),
        billing_decisions.build_router(database, rate_period),
        ledger.build_router(database),
        ledger_periods.build_router(database),
        payments.build_router(database, services.cashier),
        refunds.build_router(database, services.secret_box, transfers.book_of),
        deposits.build_router(database, services.cashier),
        parking.build_router(database),
        access.build_router(database),
        charges.build_router(database),
        arrears.build_router(database),
        settlement.build_router(database, rate_period),
        imports.build_router(database),
        disclosure.build_router(database),
        documents.build_router(services.press),
        build_seal_router(services.database, services.secret_box, services.seal_keeper),
        notices.build_router(database),
        reconciliation.build_router(database),
    )


def machine_routers(services: Services) -> Sequence[APIRouter]:
    """Return the routers nobody signs in to: gateways and channels prove themselves, a bill's address is a secret."""
    return (
        fleet.build_gateway_router(services.downlink, services.gateway_metrics),
        ingest.build_router(services.ingest, services.gateway_metrics),
        payments.build_notify_router(services.inbox),
        payments.build_pay_router(services.database, services.cashier),
        payments.build_kiosk_router(services.kiosk_desk, services.gateway_metrics),
        documents.build_open_router(services.press),
    )


def build_api(services: Services) -> FastAPI:
    """Return the application."""
    app = FastAPI(title="Gatehouse", version="1", docs_url=None, redoc_url=None, openapi_url=f"{API}/openapi.json")
    install_error_handlers(app)
    for router in api_routers(services):
        app.include_router(router, prefix=API)
    for router in machine_routers(services):
        app.include_router(router)
    app.include_router(_health(services))
    app.router.default = build_web(
        Parts(
            database=services.database,
            passwords=services.passwords,
            cashier=services.cashier,
            mandates=services.mandates,
            press=services.press,
            rate=rate_period,
            secret_box=services.secret_box,
            seal_keeper=services.seal_keeper,
            plain_mail_hosts=services.message_urls.plain_mail_hosts,
            public_url=services.public_url,
            secure_cookies=services.secure_cookies,
        )
    )
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
