"""Periods, runs, bills and corrections over HTTP, for the company's people; residents see their own bills here too."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from cloud.billing import corrections, repricing_endpoints, runs, schemas, service, tracing
from cloud.billing.corrections import CorrectionScope
from cloud.billing.documents import Account, PastRater
from cloud.billing.service import MONTHLY, RunScope
from cloud.billing.tracing import LineTrace
from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import SignedIn, require
from cloud.identity.policy import Permission
from cloud.kit.db import Database
from cloud.kit.errors import MalformedError, NotFoundError
from cloud.ledger import reports
from cloud.ledger.accounts import AccountType
from cloud.ledger.schemas import StatementLineOut
from common.civil import Period
from common.ids import AccountId, BillId, CaseId, CommunityId, PremisesId

DOCUMENTS_MAX = 200
Viewer = Annotated[Caller, Depends(require(Permission.SEE_BILLS))]
Biller = Annotated[Caller, Depends(require(Permission.RUN_BILLS))]
Corrector = Annotated[Caller, Depends(require(Permission.CORRECT))]


def build_router(database: Database, rate: PastRater) -> APIRouter:
    """Return the endpoints of billing."""
    router = APIRouter(tags=["billing"])
    _add_periods(router, database)
    _add_runs(router, database, rate)
    _add_bills(router, database)
    _add_corrections(router, database, rate)
    router.include_router(repricing_endpoints.build_router(database, rate))
    return router


def may_see(caller: Caller, account: Account) -> None:
    """Go on only when the caller may see the account: by permission in its community, or because it is his own.

    Raises:
        NotFoundError: he may not; the answer is the same as when there is no such account.
    """
    own = caller.party_id is not None and caller.party_id == account.party_id
    if caller.may(Permission.SEE_BILLS, account.community_id) or (own and caller.may(Permission.SEE_OWN)):
        return
    raise NotFoundError("there is no such account or bill")


def _add_periods(router: APIRouter, database: Database) -> None:
    @router.get("/communities/{community_id}/billing-periods")
    async def periods(community_id: UUID, caller: Viewer) -> list[schemas.PeriodOut]:
        """List the billing periods of a community with their progress."""
        async with database.view(caller.tenant) as session:
            await estate.community(session, CommunityId(community_id))
            found = await service.periods(session, CommunityId(community_id))
        return [schemas.PeriodOut.of(progress) for progress in found]

    @router.post("/communities/{community_id}/billing-periods", status_code=HTTPStatus.CREATED)
    async def create(community_id: UUID, body: schemas.PeriodIn, caller: Biller) -> schemas.PeriodOut:
        """Create a billing period and the obligations of everybody who owes in it."""
        if body.start >= body.end:
            raise MalformedError("the period ends before it begins; the end is the first day after it")
        async with database.unit(caller.tenant, caller.actor) as unit:
            await estate.community(unit.session, CommunityId(community_id))
            scope = await service.create_period(
                unit, CommunityId(community_id), period=Period(body.start, body.end), due_on=body.due_on
            )
            found = await service.progress(unit.session, scope)
        return schemas.PeriodOut.of(found)


def _add_runs(router: APIRouter, database: Database, rate: PastRater) -> None:
    @router.get("/communities/{community_id}/billing-periods/{start}/preview")
    async def preview(community_id: UUID, start: date, caller: Viewer) -> schemas.RunPreviewOut:
        """Answer what a run of the period would issue now, exceptions first."""
        async with database.view(caller.tenant) as session:
            found = await runs.preview(session, rate, _scope(community_id, start), database.clock.now())
        return schemas.RunPreviewOut.of(found, DOCUMENTS_MAX)

    @router.post("/communities/{community_id}/billing-periods/{start}/run", status_code=HTTPStatus.ACCEPTED)
    async def run(community_id: UUID, start: date, caller: Biller) -> schemas.PeriodOut:
        """Approve a run of the period; the worker drains it, and the period shows its progress."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await runs.request_run(unit, _scope(community_id, start))
            found = await service.progress(unit.session, _scope(community_id, start))
        return schemas.PeriodOut.of(found)


def _add_bills(router: APIRouter, database: Database) -> None:
    @router.get("/premises/{premises_id}/bills")
    async def of_premises(premises_id: UUID, caller: Viewer) -> list[schemas.BillSummaryOut]:
        """List the bills and adjustments of some premises, of every party that ever owed for them, newest first."""
        async with database.view(caller.tenant) as session:
            accounts = await service.accounts_of_premises(session, [PremisesId(premises_id)])
            for account in accounts:
                caller.require(Permission.SEE_BILLS, account.community_id)
            found = await service.bills_of(session, [account.account_id for account in accounts])
        return [schemas.BillSummaryOut.of(summary) for summary in found]

    @router.get("/my/bills")
    async def own(caller: SignedIn) -> list[schemas.BillSummaryOut]:
        """List the caller's own bills and adjustments, newest first."""
        caller.require(Permission.SEE_OWN)
        if caller.party_id is None:
            return []
        async with database.view(caller.tenant) as session:
            accounts = await service.accounts_of_parties(session, [caller.party_id])
            found = await service.bills_of(session, [account.account_id for account in accounts])
        return [schemas.BillSummaryOut.of(summary) for summary in found]

    @router.get("/bills/{bill_id}")
    async def one(bill_id: UUID, caller: SignedIn) -> schemas.BillOut:
        """Answer a bill with its lines and what is open on them."""
        async with database.view(caller.tenant) as session:
            found = await service.bill(session, BillId(bill_id))
        may_see(caller, found.account)
        return schemas.BillOut.of(found)

    @router.get("/bills/{bill_id}/lines/{n}/trace")
    async def trace(bill_id: UUID, n: int, caller: SignedIn) -> LineTrace:
        """Answer the chain behind a bill line: postings, rating, registers, signed batches and raw frames."""
        async with database.view(caller.tenant) as session:
            view = await service.bill(session, BillId(bill_id))
            may_see(caller, view.account)
            return await tracing.trace_line(session, view, n)

    @router.get("/accounts/{account_id}/open-lines")
    async def open_lines(account_id: UUID, caller: SignedIn) -> list[schemas.OpenLineOut]:
        """List the lines of an account on which something is open, what is due first at the front."""
        async with database.view(caller.tenant) as session:
            may_see(caller, await service.account(session, AccountId(account_id)))
            found = await service.open_lines(session, AccountId(account_id))
        return [schemas.OpenLineOut.of(line) for line in found]

    @router.get("/accounts/{account_id}/statement")
    async def statement(account_id: UUID, caller: SignedIn) -> list[StatementLineOut]:
        """Answer everything that moved what an account owes, oldest first."""
        async with database.view(caller.tenant) as session:
            may_see(caller, await service.account(session, AccountId(account_id)))
            found = await reports.statement(session, account_id, [AccountType.RECEIVABLE])
        return [StatementLineOut.of(line) for line in found]


def _add_corrections(router: APIRouter, database: Database, rate: PastRater) -> None:
    @router.post("/communities/{community_id}/corrections", status_code=HTTPStatus.CREATED)
    async def open_one(community_id: UUID, body: schemas.CorrectionIn, caller: Corrector) -> schemas.CaseOut:
        """Open a correction; nothing is issued before it is approved."""
        scope = CorrectionScope(
            community_id=CommunityId(community_id),
            premises=frozenset(PremisesId(premises_id) for premises_id in body.premises),
            first_day=body.first_day,
        )
        async with database.unit(caller.tenant, caller.actor) as unit:
            await estate.community(unit.session, scope.community_id)
            case_id = await corrections.open_correction(unit, scope, cause=body.cause, reason=body.reason)
        return schemas.CaseOut(case_id=case_id)

    @router.get("/communities/{community_id}/corrections/{case_id}/preview")
    async def preview(community_id: UUID, case_id: UUID, caller: Viewer) -> schemas.CorrectionPreviewOut:
        """Answer every document that the correction would issue now, and what could not be rated."""
        async with database.view(caller.tenant) as session:
            await corrections.require_in(session, CaseId(case_id), CommunityId(community_id))
            found = await corrections.preview(session, rate, CaseId(case_id), database.clock.now())
        return schemas.CorrectionPreviewOut.of(found)

    @router.post("/communities/{community_id}/corrections/{case_id}/approval")
    async def approve(
        community_id: UUID, case_id: UUID, body: schemas.ApprovalIn, caller: Corrector
    ) -> list[schemas.BillSummaryOut]:
        """Issue the documents of a correction as previewed; again it answers the same documents."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await corrections.require_in(unit.session, CaseId(case_id), CommunityId(community_id))
            found = await corrections.apply(unit, rate, CaseId(case_id), preview_sha=bytes.fromhex(body.preview_sha))
        return [schemas.BillSummaryOut.of(summary) for summary in found]

    @router.delete("/communities/{community_id}/corrections/{case_id}", status_code=HTTPStatus.NO_CONTENT)
    async def drop(community_id: UUID, case_id: UUID, caller: Corrector) -> None:
        """Drop a correction that is not wanted."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await corrections.require_in(unit.session, CaseId(case_id), CommunityId(community_id))
            await corrections.drop(unit, CaseId(case_id))


def _scope(community_id: UUID, start: date) -> RunScope:
    return RunScope(community_id=CommunityId(community_id), cycle=MONTHLY, period_start=start)
