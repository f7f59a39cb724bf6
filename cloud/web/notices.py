"""The pages of notices: a resident's inbox and how he wants to be told, and what the house has told a community.

/my/notices        what I was told; language, quiet hours, and by which way beside the inbox
/notices           every notice of a community with its state: the local inbox, for staff
"""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Request, Response

from cloud.identity.caller import Caller
from cloud.identity.callers import SignedIn, require
from cloud.identity.policy import Permission
from cloud.kit.httpapi import Paging, paging
from cloud.notices import addresses, deliveries, service
from cloud.notices import provider_accounts as accounts
from cloud.notices.endpoints import party_of
from cloud.notices.kinds import DeliveryState, Language, NoticeState, Way
from cloud.notices.rules import QuietHours
from cloud.notices.service import Notice, Wish
from cloud.web.frame import Frame, chosen, communities_of, page_router, see_other
from cloud.web.listing import listing

STATES = {
    NoticeState.WRITTEN: ("等待发送", "waits for its time"),
    NoticeState.TOLD: ("已通知", "told"),
    NoticeState.DROPPED: ("已取消（已缴或有异议）", "dropped: paid or disputed"),
}
WAYS = {Way.SMS: ("短信", "text message"), Way.WECHAT: ("微信", "WeChat"), Way.MAIL: ("电子邮件", "e-mail")}
DELIVERIES = {
    DeliveryState.WAITING: ("等待重试", "waits for another try"),
    DeliveryState.SENDING: ("发送中", "being sent"),
    DeliveryState.ACCEPTED: ("已提交", "taken on"),
    DeliveryState.DELIVERED: ("已送达", "arrived"),
    DeliveryState.FAILED: ("发送失败", "failed"),
    DeliveryState.UNKNOWN: ("结果不明，不再重发", "nobody can say; never sent again"),
}
Viewer = Annotated[Caller, Depends(require(Permission.SEE_BILLS))]


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of notices."""
    router = page_router()
    _add_own(router, frame)
    _add_told(router, frame)
    return router


def _add_own(router: APIRouter, frame: Frame) -> None:
    @router.get("/my/notices")
    async def own(request: Request, caller: SignedIn) -> Response:
        """Show what the caller was told and how he wants to be told."""
        caller.require(Permission.SEE_OWN)
        found: tuple[Notice, ...] = ()
        wish, address = Wish(), None
        async with frame.database.view(caller.tenant) as session:
            offered = {one.way for one in await accounts.accounts(session) if one.is_open}
            if caller.party_id is not None:
                found = await service.notices_of(session, caller.party_id)
                wish = await service.wish_of(session, caller.party_id)
                address = await addresses.address_of(session, caller.party_id)
        return frame.page(
            request,
            "resident/notices.html",
            caller=caller,
            notices=found,
            wish=wish,
            address=address,
            ways={way: words for way, words in WAYS.items() if way in offered},
        )

    @router.post("/my/notices/wish")
    async def set_wish(
        caller: SignedIn,
        language: Annotated[Language, Form()],
        quiet_from: Annotated[time, Form()],
        quiet_to: Annotated[time, Form()],
    ) -> Response:
        """Keep how the caller wants to be told."""
        party_id = party_of(caller)
        wish = Wish(language=language, quiet=QuietHours(starts=quiet_from, ends=quiet_to))
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await service.set_wish(unit, party_id, wish)
        return see_other("/my/notices", done="notice-wish")

    @router.post("/my/notices/address")
    async def set_address(
        caller: SignedIn,
        way: Annotated[Way | Literal[""], Form()] = "",
        address: Annotated[str, Form(max_length=300)] = "",
    ) -> Response:
        """Keep by which way the caller wants to be told beside his inbox."""
        party_id = party_of(caller)
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await addresses.set_address(unit, frame.parts.secret_box, party_id, way or None, address)
        return see_other("/my/notices", done="notice-wish")


def _add_told(router: APIRouter, frame: Frame) -> None:
    @router.get("/notices")
    async def told(
        request: Request, caller: Viewer, part: Annotated[Paging, Depends(paging)], community: str | None = None
    ) -> Response:
        """Show the notices of a community."""
        async with frame.database.view(caller.tenant) as session:
            choices = await communities_of(session, caller, Permission.SEE_BILLS)
            here = chosen(choices, community or None)
            found = await service.notices_in(session, here.id, limit=part.limit + 1, offset=part.offset)
            carried = await deliveries.deliveries_of(session, [notice.notice_id for notice in found])
        return frame.page(
            request,
            "manager/notices.html",
            caller=caller,
            communities=choices,
            community=here,
            rows=listing(found, part),
            states=STATES,
            carried=carried,
            ways=WAYS,
            delivery_states=DELIVERIES,
        )
