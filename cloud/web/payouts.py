"""Payouts of refunds by bank: what is due, what was sent, and what came back.

/payouts                     what is due and on its way in a community, payees masked
/payouts/file                the file for the online bank (form); who took it is written down
/payouts/<refund>/sent       sent, with the number of the bank's slip (form)
/payouts/<refund>/arrived    seen on the bank's statement, by who did not send it (form)
/payouts/<refund>/back       the bank returned it (form): the money is put back and can be asked for again
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.reconciliation import transfers
from cloud.refunds import payouts, service
from cloud.refunds.payout_file import ENCODING, payout_file
from cloud.refunds.rules import RefundState
from cloud.refunds.values import Refund
from cloud.web.frame import Frame, chosen, communities_of, page_router, see_other
from cloud.web.rendering import mask_name

Payer = Annotated[Caller, Depends(require(Permission.RECONCILE))]
Words = Annotated[str, Form(max_length=500)]


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of payouts."""
    router = page_router()
    _add_list(router, frame)
    _add_deeds(router, frame)
    return router


def _add_list(router: APIRouter, frame: Frame) -> None:
    @router.get("/payouts")
    async def listed(
        request: Request, caller: Payer, community: Annotated[str | None, Query(max_length=80)] = None
    ) -> Response:
        """Show what is due and what is on its way; names and numbers are masked."""
        async with frame.database.view(caller.tenant) as session:
            communities = await communities_of(session, caller, Permission.RECONCILE)
            place = chosen(communities, community)
            found = await payouts.listed(session, frame.parts.secret_box, caller.tenant, place.id)
            banks = {one.bank_account_id: one for one in await transfers.bank_accounts(session, place.id)}
        return frame.page(
            request,
            "money/payouts.html",
            caller=caller,
            communities=communities,
            place=place,
            due=[one for one in found if one.refund.state is RefundState.RESERVED],
            sent=[one for one in found if one.refund.state is RefundState.SUBMITTED],
            banks=banks,
            mask_name=mask_name,
        )

    @router.post("/payouts/file")
    async def file(caller: Payer, bank_account_id: Annotated[UUID, Form()]) -> Response:
        """Give the file of everything due from a bank account; it is the same file until something is sent."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            account = await transfers.bank_account(unit.session, bank_account_id)
            caller.require(Permission.RECONCILE, account.book.community_id)
            found = await payouts.to_transfer(unit, frame.parts.secret_box, bank_account_id, account.book.community_id)
        name = f"payouts-{account.number_tail}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return Response(payout_file(found), media_type=f"text/csv; charset={ENCODING}", headers=headers)


def _add_deeds(router: APIRouter, frame: Frame) -> None:
    @router.post("/payouts/{refund_id}/sent")
    async def sent(refund_id: UUID, caller: Payer, reference: Annotated[str, Form(max_length=64)]) -> Response:
        """Note that a payout was transferred, with the number of the bank's slip."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            refund = await _found(unit.session, caller, refund_id)
            await payouts.sent(unit, refund_id, reference=reference)
            return await _back(unit.session, refund, "payout-sent")

    @router.post("/payouts/{refund_id}/arrived")
    async def arrived(refund_id: UUID, caller: Payer) -> Response:
        """Confirm from the bank's statement that a payout left; not by who sent it."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            refund = await _found(unit.session, caller, refund_id)
            await payouts.arrived(unit, refund_id)
            return await _back(unit.session, refund, "payout-arrived")

    @router.post("/payouts/{refund_id}/back")
    async def came_back(refund_id: UUID, caller: Payer, reason: Words) -> Response:
        """Note that the bank returned a payout."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            refund = await _found(unit.session, caller, refund_id)
            await payouts.came_back(unit, refund_id, reason=reason)
            return await _back(unit.session, refund, "payout-back")


async def _found(session: AsyncSession, caller: Caller, refund_id: UUID) -> Refund:
    refund = await service.refund(session, refund_id)
    caller.require(Permission.RECONCILE, refund.book.community_id)
    return refund


async def _back(session: AsyncSession, refund: Refund, done: str) -> Response:
    place = await estate.community(session, refund.book.community_id)
    return see_other("/payouts", done=done, community=place.code)
