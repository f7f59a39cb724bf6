"""Bank transfers on pages: import a statement, see what nobody is named for with its age, and say whose it is.

/bank                            bank accounts, the import form, suspense by age with proposals
/bank/accounts                   add a bank account (form)
/bank/files                      import a statement (form with a file)
/bank/lines/<line>/identify      say whose a credit is (form): a proposal, a room or a bill's number
/bank/lines/<line>/explain       say what a debit was (form)
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Request, Response, UploadFile
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.estate import service as estate
from cloud.estate.values import Community
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.errors import NotFoundError
from cloud.ledger.accounts import Book
from cloud.reconciliation import suspense, transfers
from cloud.reconciliation.remitting import AGES, ages
from cloud.tariffs.charge import FundClass
from cloud.web.desk_search import find
from cloud.web.frame import Frame, chosen, communities_of, page_router, see_other
from cloud.web.money_words import FUNDS
from common.civil import civil_day
from common.errors import RefusalError
from common.ids import AccountId, CommunityId, LegalEntityId

Reconciler = Annotated[Caller, Depends(require(Permission.RECONCILE))]


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of bank transfers."""
    router = page_router()
    _add_list(router, frame)
    _add_intake(router, frame)
    _add_lines(router, frame)
    return router


def _add_list(router: APIRouter, frame: Frame) -> None:
    @router.get("/bank")
    async def start(request: Request, caller: Reconciler, community: str | None = None) -> Response:
        """Show the bank accounts of a community and what lies in suspense there."""
        async with frame.database.view(caller.tenant) as session:
            communities = await communities_of(session, caller, Permission.RECONCILE)
            place = chosen(communities, community)
            today = civil_day(frame.now(), place.zone)
            lines = await suspense.suspense(session, frame.parts.secret_box, place.id, today)
            accounts = await transfers.bank_accounts(session, place.id)
            entities = await estate.entity_names(session)
        came = {line.bank_line_id: (line.age_days, line.fen) for line in lines if line.fen > 0}
        return frame.page(
            request,
            "money/bank.html",
            caller=caller,
            communities=communities,
            place=place,
            lines=lines,
            accounts=accounts,
            entities=entities,
            funds=FUNDS,
            kinds=transfers.kinds(),
            ages=tuple(zip((*AGES, None), ages(came), strict=True)),
        )


def _add_intake(router: APIRouter, frame: Frame) -> None:
    @router.post("/bank/accounts")
    async def add(
        caller: Reconciler,
        community: Annotated[str, Form()],
        owner: Annotated[str, Form(max_length=80)],
        bank: Annotated[str, Form(max_length=60)],
        number: Annotated[str, Form(max_length=40)],
    ) -> Response:
        """Add a bank account of a legal entity and fund."""
        entity, _, fund = owner.partition(":")
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            place = chosen(await communities_of(unit.session, caller, Permission.RECONCILE), community)
            book = Book(community_id=place.id, legal_entity_id=LegalEntityId(UUID(entity)), fund_class=FundClass(fund))
            await transfers.add_bank_account(unit, book, bank=bank, number=number)
        return see_other("/bank", done="bank-added", community=community)

    @router.post("/bank/files")
    async def take(
        caller: Reconciler,
        bank_account_id: Annotated[UUID, Form()],
        kind: Annotated[str, Form(max_length=20)],
        file: Annotated[UploadFile, File()],
    ) -> Response:
        """Import a statement, whole or not at all."""
        raw = await file.read()
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            account = await transfers.bank_account(unit.session, bank_account_id)
            caller.require(Permission.RECONCILE, account.book.community_id)
            await transfers.import_file(unit, frame.parts.secret_box, bank_account_id, raw, kind)
            place = await estate.community(unit.session, account.book.community_id)
        return see_other("/bank", done="bank-imported", community=place.code)


def _add_lines(router: APIRouter, frame: Frame) -> None:
    @router.post("/bank/lines/{bank_line_id}/identify")
    async def identify(
        bank_line_id: UUID,
        caller: Reconciler,
        community: Annotated[str, Form()],
        account_id: Annotated[str, Form(max_length=36)] = "",
        who: Annotated[str, Form(max_length=200)] = "",
        learn: Annotated[bool, Form()] = False,  # noqa: FBT002 - a box of a form
    ) -> Response:
        """Say whose a credit is: the proposed account, or the one account of what was typed."""
        async with frame.database.view(caller.tenant) as session:
            place = chosen(await communities_of(session, caller, Permission.RECONCILE), community)
            owner = AccountId(UUID(account_id)) if account_id else await _typed(session, frame, caller, place, who)
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await transfers.identify(unit, bank_line_id, owner, learn=learn)
        return see_other("/bank", done="bank-identified", community=community)

    @router.post("/bank/lines/{bank_line_id}/explain")
    async def explain(
        bank_line_id: UUID,
        caller: Reconciler,
        community: Annotated[str, Form()],
        reason: Annotated[str, Form(max_length=500)],
    ) -> Response:
        """Say what a debit was."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await transfers.explain(unit, bank_line_id, reason)
        return see_other("/bank", done="bank-explained", community=community)


async def _typed(session: AsyncSession, frame: Frame, caller: Caller, place: Community, who: str) -> AccountId:
    """Return the one account that what was typed means.

    Raises:
        NotFoundError: it means no room, or several.
        RefusalError: the room has several accounts, or none.
    """
    found = await find(session, frame.database, (caller.tenant, CommunityId(place.id)), who)
    if len(found) != 1:
        raise NotFoundError("this names no single room; type the whole room number or a bill's number")
    accounts = await billing.accounts_of_premises(session, [found[0].id])
    owing = [one for one in accounts if await billing.open_lines(session, one.account_id)] or list(accounts)[-1:]
    if len(owing) != 1:
        raise RefusalError("several accounts of this room are open; type the number of the bill that is paid")
    return owing[0].account_id
