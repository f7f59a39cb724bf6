"""The page behind a bill's code: whoever holds the bill pays it, without signing in and without a name on the page.

    /pay/<token>                          what is open on the bill and on the account, by who receives it
    /pay/<token>/wechat                   where WeChat sends a browser back that now knows who it is
    /pay/<token>/begin                    begin a payment (form); the ways offered are those of the app that scanned
    /pay/<token>/orders/<attempt>         the code to scan, and honestly where the payment stands
    /pay/<token>/orders/<attempt>/state   the same as a fragment, asked for every few seconds while it may still change

The amount is computed here, never taken from the page, unless the payer wants to pay another one. A payment whose end
is not known says so: it is being asked about, and nobody is told to pay twice.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from cloud.payments import links
from cloud.payments.channel import METHODS as METHODS_OF
from cloud.payments.channel import Channel, Method
from cloud.payments.channels.provider import Payer, PromptKind
from cloud.payments.devices import Pair
from cloud.payments.endpoints import address_of
from cloud.payments.errors import UnknownPayLinkError
from cloud.payments.links import CashierPage, LinkPayment
from cloud.payments.rules import AttemptState
from cloud.payments.values import Attempt, Quote
from cloud.tariffs.charge import FundClass
from cloud.web import pay_code
from cloud.web.frame import Frame, page_router, see_other
from cloud.web.money_text import parse_yuan_or_none
from cloud.web.money_words import CHANNELS, FUNDS, METHODS, settling_words
from cloud.web.security import policy_with_form_to
from common.errors import RefusalError
from common.ids import LegalEntityId

WHOLE = "account"
_IN_WECHAT: Pair = (Channel.WECHAT, Method.JSAPI)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What can be paid in one book: the bill's part and all that is open, and the id of the wish that may follow."""

    receiver: str
    legal_entity_id: LegalEntityId
    fund_class: FundClass
    bill_fen: int
    account_fen: int
    intent_id: UUID
    ways: tuple[Pair, ...]


class Wish(BaseModel):
    """What the form of the page says; the amount is empty unless the payer wants another one."""

    intent_id: UUID
    legal_entity_id: UUID
    fund_class: FundClass
    what: str = "bill"
    amount: Annotated[str, Field(max_length=20)] = ""
    way: Annotated[str, Field(max_length=40)] = ""
    open_id: Annotated[str, Field(max_length=128)] = ""


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of the cashier address."""
    router = page_router()
    _add_start(router, frame)
    _add_order(router, frame)
    return router


def _add_start(router: APIRouter, frame: Frame) -> None:
    @router.get("/pay/{token}")
    async def start(request: Request, token: str) -> Response:
        """Show what is open, with the ways that suit the browser; inside WeChat, who it is must be learnt first."""
        shown = await links.cashier_page(frame.database, token, _agent(request))
        inside = next((book for book, ways in shown.ways.items() if _IN_WECHAT in ways), None)
        if inside is not None:
            link = await links.find(frame.database, token)
            back = (
                f"{frame.parts.public_url}/pay/{token}/wechat?fund={inside.fund_class}&entity={inside.legal_entity_id}"
            )
            address = await frame.parts.cashier.wechat_address(link.tenant, inside, back)
            if address is not None:
                return RedirectResponse(address, HTTPStatus.SEE_OTHER)
        return _start_page(request, token, shown)

    @router.get("/pay/{token}/wechat")
    async def from_wechat(request: Request, token: str, code: str, entity: UUID, fund: FundClass) -> Response:
        """Show what is open to a browser inside WeChat that came back with a code for who it is."""
        shown = await links.cashier_page(frame.database, token, _agent(request))
        link = await links.find(frame.database, token)
        wanted = (LegalEntityId(entity), fund)
        book = next((one for one in shown.ways if (one.legal_entity_id, one.fund_class) == wanted), None)
        if book is None:
            raise UnknownPayLinkError
        payer = await frame.parts.cashier.wechat_payer(link.tenant, book, code[:200])
        return _start_page(request, token, shown, payer.open_id)

    def _start_page(request: Request, token: str, shown: CashierPage, open_id: str = "") -> Response:
        return frame.page(
            request,
            "pay/start.html",
            caller=None,
            token=token,
            shown=shown,
            offers=offers(shown),
            funds=FUNDS,
            settling=settling_words(shown.settling),
            methods=METHODS,
            channels=CHANNELS,
            open_id=open_id,
        )

    @router.post("/pay/{token}/begin")
    async def begin(request: Request, token: str, wish: Annotated[Wish, Form()]) -> Response:
        """Begin a payment of the bill or of all that is open, whole or in part; the same form again is the same one."""
        asked = LinkPayment(
            intent_id=wish.intent_id,
            legal_entity_id=LegalEntityId(wish.legal_entity_id),
            fund_class=wish.fund_class,
            whole_account=wish.what == WHOLE,
            amount_fen=parse_yuan_or_none(wish.amount),
            way=way_of(wish.way),
            payer=Payer(open_id=wish.open_id, address=address_of(request)),
        )
        attempt = await links.start(frame.database, frame.parts.cashier, token, asked, _agent(request))
        return see_other(f"/pay/{token}/orders/{attempt.attempt_id}")


def _add_order(router: APIRouter, frame: Frame) -> None:
    @router.get("/pay/{token}/orders/{attempt_id}")
    async def order(request: Request, token: str, attempt_id: UUID) -> Response:
        """Show the code to scan and where the payment stands."""
        attempt = await links.attempt(frame.database, frame.parts.cashier, token, attempt_id)
        return _shown(request, "pay/order.html", token, attempt)

    @router.get("/pay/{token}/orders/{attempt_id}/state")
    async def state(request: Request, token: str, attempt_id: UUID, seen: str = "", *, ask: bool = False) -> Response:
        """Tell where the payment stands when it is not what was seen; with `ask` the channel is asked first."""
        attempt = await links.attempt(frame.database, frame.parts.cashier, token, attempt_id, ask=ask)
        if seen == attempt.state and not ask:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return _shown(request, "pay/state.html", token, attempt)

    def _shown(request: Request, template: str, token: str, attempt: Attempt) -> Response:
        waiting = attempt.state is AttemptState.SENT and attempt.code_url is not None
        scanned = waiting and attempt.prompt is PromptKind.SCAN
        answer = frame.page(
            request,
            template,
            caller=None,
            token=token,
            attempt=attempt,
            waiting=waiting,
            methods=METHODS,
            code=pay_code.svg(attempt.code_url or "") if scanned else None,
        )
        if waiting and attempt.prompt is PromptKind.SUBMIT:
            answer.headers["content-security-policy"] = policy_with_form_to(attempt.code_url or "")
        return answer


def way_of(text: str) -> Pair | None:
    """Return the way that a form's button names, None when it names none.

    Raises:
        RefusalError: there is no such way.
    """
    if not text:
        return None
    channel, _, method = text.partition(":")
    try:
        found = Channel(channel), Method(method)
    except ValueError as error:
        raise RefusalError("there is no such way to pay; choose one of those on the page") from error
    if found[1] not in METHODS_OF[found[0]] or found[1] in {Method.CODE, Method.DEDUCTION}:
        raise RefusalError("there is no such way to pay; choose one of those on the page")
    return found


def _agent(request: Request) -> str:
    return request.headers.get("user-agent", "")


def offers(shown: CashierPage) -> list[Offer]:
    """Return what can be paid, by book; a book in which only other bills are open is offered too."""
    return [
        Offer(
            receiver=shown.receivers.get(quote.book.legal_entity_id, ""),
            legal_entity_id=quote.book.legal_entity_id,
            fund_class=quote.book.fund_class,
            bill_fen=_total_in(shown.bill_quotes, quote),
            account_fen=quote.total_fen,
            intent_id=UUID(bytes=secrets.token_bytes(16), version=4),
            ways=shown.ways.get(quote.book, ()),
        )
        for quote in shown.account_quotes
    ]


def _total_in(quotes: tuple[Quote, ...], like: Quote) -> int:
    return sum(quote.total_fen for quote in quotes if quote.book == like.book)
