"""The pages of automatic deduction: a resident agrees, pauses and ends; staff look, and pause or end for him.

    /my/auto-pay                  what may be agreed to for each account, what was, and what will be taken when
    /my/auto-pay/<id>             the way to the channel's page where it is signed
    /auto-pay                     every agreement of a community, for staff

Only the payer agrees and resumes. What the channel says about an agreement decides, so every deed asks it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.billing.documents import Account
from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import SignedIn, require
from cloud.identity.policy import Permission
from cloud.kit.errors import NotFoundError
from cloud.kit.httpapi import Paging, paging
from cloud.mandates import debits, service
from cloud.mandates.rules import DAY_MAX, USUAL_LIMIT_FEN, DebitState, MandateState, plan_of
from cloud.mandates.values import Debit, Mandate, MandateWish
from cloud.payments import merchants
from cloud.payments.channel import Channel
from cloud.payments.merchants import MerchantAccount
from cloud.tariffs import service as tariffs
from cloud.tariffs.charge import FundClass
from cloud.web import pay_code
from cloud.web.charge_forms import fen_of
from cloud.web.frame import Frame, chosen, communities_of, page_router, see_other
from cloud.web.listing import listing
from cloud.web.money_words import CHANNELS
from cloud.web.resident import Place, homes_of, place_of
from common.civil import civil_day
from common.errors import ensure
from common.ids import AccountId

STATES = {
    MandateState.ASKED: ("待签约", "waits for the signature"),
    MandateState.ACTIVE: ("生效中", "active"),
    MandateState.PAUSED: ("已暂停", "paused"),
    MandateState.ENDED: ("已终止", "ended"),
}
DEBITS = {
    DebitState.ANNOUNCED: ("已通知，待扣款", "announced"),
    DebitState.TAKEN: ("已扣款", "taken"),
    DebitState.CANCELLED: ("已取消", "not taken"),
    DebitState.FAILED: ("扣款未成功", "did not succeed"),
}
ensure(set(STATES) == set(MandateState) and set(DEBITS) == set(DebitState), "every state has words")
Viewer = Annotated[Caller, Depends(require(Permission.SEE_PAYMENTS))]
Wanted = Annotated[Paging, Depends(paging)]


class Deed(StrEnum):
    """What can be done with an agreement."""

    CHECK = "check"
    PAUSE = "pause"
    RESUME = "resume"
    END = "end"


BY_STAFF = frozenset({Deed.CHECK, Deed.PAUSE, Deed.END})


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """An account of a resident: who may deduct from him, and what he agreed to."""

    account: Account
    place: Place
    offers: tuple[tuple[UUID, MerchantAccount, str], ...]
    mandates: tuple[tuple[Mandate, Channel, tuple[Debit, ...]], ...]


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of automatic deduction."""
    router = page_router()
    _add_own(router, frame)
    _add_signing(router, frame)
    _add_deeds(router, frame)
    _add_console(router, frame)
    return router


def _add_own(router: APIRouter, frame: Frame) -> None:
    @router.get("/my/auto-pay")
    async def own(request: Request, caller: SignedIn) -> Response:
        """Show what the caller may agree to and has agreed to."""
        caller.require(Permission.SEE_OWN)
        return frame.page(
            request,
            "resident/auto_pay.html",
            caller=caller,
            homes=await homes_of(frame, caller, _home),
            channels=CHANNELS,
            states=STATES,
            debit_states=DEBITS,
            usual_fen=USUAL_LIMIT_FEN,
            day_max=DAY_MAX,
            plan_of=plan_of,
        )


def _add_signing(router: APIRouter, frame: Frame) -> None:
    @router.post("/my/auto-pay")
    async def agree(
        caller: SignedIn,
        mandate_id: Annotated[UUID, Form()],
        account_id: Annotated[UUID, Form()],
        merchant_account_id: Annotated[UUID, Form()],
        limit: Annotated[str, Form(max_length=20)],
        day_of_month: Annotated[int, Form()],
    ) -> Response:
        """Note that the caller wants to agree, and lead to the channel's page."""
        wish = MandateWish(
            mandate_id=mandate_id,
            account_id=AccountId(account_id),
            merchant_account_id=merchant_account_id,
            limit_fen=fen_of(limit),
            day_of_month=day_of_month,
        )
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            account = await billing.account(unit.session, wish.account_id)
            _require_own(caller, account)
            if merchant_account_id not in {
                one.merchant_account_id for one in await _offers(unit.session, frame, account)
            }:
                raise NotFoundError("nobody may deduct money of this account there")
            mandate = await service.ask(unit, wish, secrets.token_bytes)
        return see_other(f"/my/auto-pay/{mandate.mandate_id}")

    @router.get("/my/auto-pay/{mandate_id}")
    async def sign(request: Request, mandate_id: UUID, caller: SignedIn) -> Response:
        """Show the way to the page where the caller signs."""
        async with frame.database.view(caller.tenant) as session:
            mandate = await service.mandate(session, mandate_id)
            _require_own(caller, await billing.account(session, mandate.account_id))
            merchant = await merchants.merchant_account(session, mandate.merchant_account_id)
        waits = mandate.state is MandateState.ASKED
        address = await frame.parts.mandates.sign_page(caller.tenant, mandate) if waits else ""
        return frame.page(
            request,
            "resident/auto_pay_sign.html",
            caller=caller,
            mandate=mandate,
            address=address,
            code=pay_code.svg(address) if address else None,
            states=STATES,
            channel=CHANNELS[merchant.channel],
        )


def _add_deeds(router: APIRouter, frame: Frame) -> None:
    @router.post("/my/auto-pay/{mandate_id}/{deed}")
    async def own_deed(mandate_id: UUID, deed: Deed, caller: SignedIn) -> Response:
        """Ask the channel, pause, resume or end, as the payer wishes."""
        async with frame.database.view(caller.tenant) as session:
            mandate = await service.mandate(session, mandate_id)
            _require_own(caller, await billing.account(session, mandate.account_id))
        await _do(frame, caller, mandate, deed)
        return see_other("/my/auto-pay", done=f"mandate-{deed}")

    @router.post("/auto-pay/{mandate_id}/{deed}")
    async def staff_deed(mandate_id: UUID, deed: Deed, caller: Viewer) -> Response:
        """Ask the channel, pause or end for a payer; only he resumes."""
        async with frame.database.view(caller.tenant) as session:
            mandate = await service.mandate(session, mandate_id)
            if not caller.may(Permission.SEE_PAYMENTS, mandate.book.community_id) or deed not in BY_STAFF:
                raise NotFoundError("there is no such agreement to automatic deduction")
            caller.require(Permission.REQUEST_REFUNDS, mandate.book.community_id)
            community = await estate.community(session, mandate.book.community_id)
        await _do(frame, caller, mandate, deed)
        return see_other("/auto-pay", done=f"mandate-{deed}", community=community.code)


def _add_console(router: APIRouter, frame: Frame) -> None:
    @router.get("/auto-pay")
    async def console(
        request: Request,
        caller: Viewer,
        wanted: Wanted,
        community: Annotated[str | None, Query(max_length=80)] = None,
    ) -> Response:
        """Show the agreements of a community and what was last announced by each."""
        async with frame.database.view(caller.tenant) as session:
            communities = await communities_of(session, caller, Permission.SEE_PAYMENTS)
            one = chosen(communities, community)
            found = await service.mandates_in(session, one.id, limit=wanted.limit + 1, offset=wanted.offset)
            announced = await debits.debits_of(session, [mandate.mandate_id for mandate in found])
            channel_of = {row.merchant_account_id: row.channel for row in await merchants.merchant_accounts(session)}
            accounts = {account.account_id: account for account in await billing.accounts_in(session, one.id)}
            today = civil_day(frame.now(), one.zone)
            labels = {place.id: place.label for place in await estate.premises_in(session, one.id, day=today)}
        last = {debit.mandate_id: debit for debit in reversed(announced)}
        return frame.page(
            request,
            "manager/auto_pay.html",
            caller=caller,
            communities=communities,
            community=one,
            rows=listing(found, wanted),
            rooms={key: labels.get(account.premises_id, "—") for key, account in accounts.items()},
            last=last,
            states=STATES,
            debit_states=DEBITS,
            may_act=caller.may(Permission.REQUEST_REFUNDS, one.id),
            channels=CHANNELS,
            channel_of=channel_of,
        )


async def _do(frame: Frame, caller: Caller, mandate: Mandate, deed: Deed) -> None:
    clerk = frame.parts.mandates
    match deed:
        case Deed.CHECK:
            await clerk.check(caller.tenant, caller.actor, mandate.mandate_id)
        case Deed.END:
            await clerk.end(caller.tenant, caller.actor, mandate.mandate_id)
        case Deed.PAUSE:
            async with frame.database.unit(caller.tenant, caller.actor) as unit:
                await service.pause(unit, mandate.mandate_id)
        case Deed.RESUME:
            async with frame.database.unit(caller.tenant, caller.actor) as unit:
                await service.resume(unit, mandate.mandate_id)


async def _home(session: AsyncSession, frame: Frame, account: Account) -> Home:
    known = await service.mandates_of(session, [account.account_id])
    taken = {(one.book.legal_entity_id, one.book.fund_class) for one in known if one.state is not MandateState.ENDED}
    names = await estate.entity_names(session)
    offers = [
        (frame.database.new_id(), merchant, names.get(merchant.legal_entity_id, ""))
        for merchant in await _offers(session, frame, account)
        if (merchant.legal_entity_id, merchant.fund_class) not in taken
    ]
    announced = await debits.debits_of(session, [one.mandate_id for one in known])
    channel_of = {one.merchant_account_id: one.channel for one in await merchants.merchant_accounts(session)}
    return Home(
        account=account,
        place=await place_of(session, frame, account),
        offers=tuple(offers),
        mandates=tuple(
            (
                one,
                channel_of[one.merchant_account_id],
                tuple(debit for debit in announced if debit.mandate_id == one.mandate_id),
            )
            for one in known
        ),
    )


async def _offers(session: AsyncSession, frame: Frame, account: Account) -> tuple[MerchantAccount, ...]:
    """Return where an account's bills may be deducted: current fees only, of companies that bill its community."""
    items = await tariffs.charge_items(session, account.community_id)
    entities = {line.legal_entity_id for line in await billing.open_lines(session, account.account_id)}
    entities |= {item.legal_entity_id for item in items}
    return tuple(
        one
        for one in await merchants.merchant_accounts(session)
        if one.fund_class is FundClass.OPERATING
        and frame.parts.mandates.keeps_agreements(one)
        and one.legal_entity_id in entities
    )


def _require_own(caller: Caller, account: Account) -> None:
    """Go on only when the account is the caller's own.

    Raises:
        NotFoundError: it is not; the answer is as if there were none.
    """
    if caller.party_id is None or caller.party_id != account.party_id:
        raise NotFoundError("there is no such agreement of yours")
