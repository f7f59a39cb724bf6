"""All pages as one application: every page group in one list, behind the same headers and the same refusals.

It answers whatever the API's own routers do not know (`cloud/api.py`), inside the API's middlewares: the caller is
recognised, bodies are bounded and answers are counted there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import APIRouter, FastAPI

from cloud.kit.httpapi import LastResort
from cloud.web import (
    arrears,
    assets,
    audit,
    auto_pay,
    bank,
    books,
    cases,
    charges,
    corrections,
    counter,
    dashboard,
    deposits,
    desk,
    estimates,
    fleet_sites,
    gateways,
    imports,
    instalments,
    invoice_accounts,
    invoices,
    message_accounts,
    meters,
    money,
    notices,
    paper_checks,
    papers,
    pay,
    payouts,
    price_changes,
    public_use,
    refunds,
    reports,
    resident,
    resident_parking,
    run_outlook,
    runs,
    seals,
    settle,
    signin,
    stopped_jobs,
    sunshine,
    tariff_trial,
    tariffs,
)
from cloud.web.frame import Frame, Parts
from cloud.web.refusals import Refusals
from cloud.web.security import SecureHeaders

PageGroup = Callable[[Frame], APIRouter]
GROUPS: Sequence[PageGroup] = (
    signin.build_pages,
    dashboard.build_pages,
    runs.build_pages,
    run_outlook.build_pages,
    charges.build_pages,
    cases.build_pages,
    corrections.build_pages,
    price_changes.build_pages,
    estimates.build_pages,
    tariffs.build_pages,
    tariff_trial.build_pages,
    gateways.build_pages,
    fleet_sites.build_pages,
    imports.build_pages,
    meters.build_pages,
    public_use.build_pages,
    audit.build_pages,
    stopped_jobs.build_pages,
    resident.build_pages,
    resident_parking.build_pages,
    pay.build_pages,
    auto_pay.build_pages,
    payouts.build_pages,
    refunds.build_pages,
    deposits.build_pages,
    invoices.build_pages,
    invoice_accounts.build_pages,
    seals.build_pages,
    papers.build_pages,
    notices.build_pages,
    message_accounts.build_pages,
    paper_checks.build_pages,
    desk.build_pages,
    counter.build_pages,
    money.build_pages,
    books.build_pages,
    reports.build_pages,
    arrears.build_pages,
    instalments.build_pages,
    settle.build_pages,
    sunshine.build_pages,
    bank.build_pages,
)


def build_web(parts: Parts, groups: Sequence[PageGroup] = GROUPS) -> FastAPI:
    """Return the application of all pages and the files they load."""
    frame = Frame(parts)
    refusals = Refusals(frame)
    app = FastAPI(title="Gatehouse pages", docs_url=None, redoc_url=None, openapi_url=None)
    refusals.install(app)
    for build_pages in groups:
        app.include_router(build_pages(frame))
    app.mount(assets.PREFIX, assets.static_files())
    app.add_middleware(LastResort, answer=refusals.fault_of_ours)
    app.add_middleware(SecureHeaders)
    return app
