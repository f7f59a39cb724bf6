"""Charges as an office makes them: a charge item in one form, a one-off charge or levy from draft to bills.

    /charges                           charge items, one-off charges, both forms
    /charges/{community}/{charge}      what each household would pay, then approve, throw away, or withdraw

A draft writes nothing into the book. Approval repeats the hash of what was seen.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.charges import making, repeating, service
from cloud.charges.repeating import NextInvoice
from cloud.charges.values import OneOff
from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.db import Database
from cloud.kit.errors import NotFoundError
from cloud.kit.httpapi import Paging, paging
from cloud.tariffs import service as tariffs
from cloud.tariffs.charge import ChargeBasis
from cloud.web.charge_forms import ItemForm, OneOffForm, SwitchForm, fen_of
from cloud.web.charge_words import CHARGE_KINDS, CHARGE_STATES, SHARINGS
from cloud.web.frame import Frame, chosen, communities_of, page_router, see_other
from cloud.web.listing import part
from common.civil import civil_day, month_of
from common.ids import ChargeItemId, CommunityId

Biller = Annotated[Caller, Depends(require(Permission.RUN_BILLS))]
Maker = Annotated[Caller, Depends(require(Permission.CHANGE_TARIFFS))]
Wanted = Annotated[Paging, Depends(paging)]
Word = Annotated[str, Form(max_length=100)]
# What a form with a plain amount a month offers; everything else is made of a tariff document, in the API.
PLAIN_BASES = (ChargeBasis.FLAT, ChargeBasis.AREA, ChargeBasis.ONE_OFF)


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of charges."""
    router = page_router()
    _add_list(router, frame)
    _add_making(router, frame.database)
    _add_one(router, frame)
    return router


def _add_list(router: APIRouter, frame: Frame) -> None:
    @router.get("/charges")
    async def listed(
        request: Request, caller: Biller, community: Annotated[str | None, Query(max_length=80)] = None
    ) -> Response:
        """Show the charge items and one-off charges of a community, with the forms that make new ones."""
        async with frame.database.view(caller.tenant) as session:
            communities = await communities_of(session, caller, Permission.RUN_BILLS)
            one = chosen(communities, community)
            book = await tariffs.price_book(session, one.id, frame.now())
            found = await service.one_offs(session, one.id)
            entities = await estate.entity_names(session)
            buildings = await estate.buildings(session, one.id)
        items = sorted(book.items.values(), key=lambda item: item.code)
        month = month_of(civil_day(frame.now(), one.zone))
        return frame.page(
            request,
            "manager/charges.html",
            caller=caller,
            communities=communities,
            community=one,
            items=items,
            switched=[item for item in items if item.basis is not ChargeBasis.ONE_OFF],
            codes=sorted({one.ref.tariff_code for known in book.revisions.values() for one in known}),
            levies=[item for item in items if item.basis is ChargeBasis.ONE_OFF],
            one_offs=found,
            month=month,
            charge_id=frame.database.new_id(),
            bases=PLAIN_BASES,
            kinds=CHARGE_KINDS,
            sharings=SHARINGS,
            states=CHARGE_STATES,
            entities=entities,
            buildings=buildings,
        )


def _add_making(router: APIRouter, database: Database) -> None:
    @router.post("/charges/{community_id}/items")
    async def make(community_id: UUID, caller: Maker, form: Annotated[ItemForm, Form()]) -> Response:
        """Make a charge item with its price and announcement."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            community = await estate.community(unit.session, CommunityId(community_id))
            new = form.value(ChargeItemId(unit.new_id()), community.id)
            await making.make_charge(unit, new)
        return see_other("/charges", done="charge-made", community=community.code)

    @router.post("/charges/{community_id}/switches")
    async def switch(community_id: UUID, caller: Maker, form: Annotated[SwitchForm, Form()]) -> Response:
        """Let another price hold on some days; afterwards the former holds again."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            community = await estate.community(unit.session, CommunityId(community_id))
            await making.switch(unit, form.value(community.id))
        return see_other("/charges", done="price-switched", community=community.code)

    @router.post("/charges/{community_id}/one-offs")
    async def draft(community_id: UUID, caller: Biller, form: Annotated[OneOffForm, Form()]) -> Response:
        """Draft a one-off charge and show what each household would pay."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await estate.community(unit.session, CommunityId(community_id))
            await service.draft(unit, form.value(CommunityId(community_id)))
        return see_other(f"/charges/{community_id}/{form.charge_id}")


def _add_one(router: APIRouter, frame: Frame) -> None:
    @router.get("/charges/{community_id}/{charge_id}")
    async def one(request: Request, community_id: UUID, charge_id: UUID, caller: Biller, wanted: Wanted) -> Response:
        """Show a one-off charge: what each household would pay, or what became of it."""
        async with frame.database.view(caller.tenant) as session:
            community = await estate.community(session, CommunityId(community_id))
            found = await _of(session=session, charge_id=charge_id, community_id=community_id)
            seen = await service.preview(session, charge_id)
        return frame.page(
            request,
            "manager/charge.html",
            caller=caller,
            community=community,
            charge=found,
            preview=seen,
            shares=part(seen.shares, wanted),
            sharings=SHARINGS,
            states=CHARGE_STATES,
        )

    @router.post("/charges/{community_id}/{charge_id}/issue")
    async def issue(
        community_id: UUID, charge_id: UUID, caller: Biller, sha: Annotated[str, Form(pattern="^[0-9a-f]{64}$")]
    ) -> Response:
        """Issue the charge as seen."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await _of(session=unit.session, charge_id=charge_id, community_id=community_id)
            await service.issue(unit, charge_id, preview_sha=bytes.fromhex(sha))
        return see_other(f"/charges/{community_id}/{charge_id}", done="charge-issued")

    @router.post("/charges/{community_id}/{charge_id}/drop")
    async def drop(community_id: UUID, charge_id: UUID, caller: Biller) -> Response:
        """Throw a draft away."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await _of(session=unit.session, charge_id=charge_id, community_id=community_id)
            await service.drop(unit, charge_id)
        return see_other(f"/charges/{community_id}/{charge_id}", done="charge-dropped")

    @router.post("/charges/{community_id}/{charge_id}/next")
    async def repeat(
        community_id: UUID, charge_id: UUID, caller: Biller, amount: Word, reference: Word = ""
    ) -> Response:
        """Draft the charge for the months that follow, by its next invoice."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await _of(session=unit.session, charge_id=charge_id, community_id=community_id)
            invoice = NextInvoice(amount_fen=fen_of(amount), reference=reference)
            drafted = await repeating.repeat(unit, charge_id, invoice)
        return see_other(f"/charges/{community_id}/{drafted.new.charge_id}", done="charge-repeated")

    @router.post("/charges/{community_id}/{charge_id}/withdraw")
    async def withdraw(community_id: UUID, charge_id: UUID, caller: Biller, reason: Word = "") -> Response:
        """Take an issued charge back."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await _of(session=unit.session, charge_id=charge_id, community_id=community_id)
            await service.withdraw(unit, charge_id, reason=reason)
        return see_other(f"/charges/{community_id}/{charge_id}", done="charge-withdrawn")


async def _of(*, session: AsyncSession, charge_id: UUID, community_id: UUID) -> OneOff:
    found = await service.one_off(session, charge_id)
    if found.new.community_id != community_id:
        raise NotFoundError("there is no such charge")
    return found
