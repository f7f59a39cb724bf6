"""The page behind a bill's code: whoever holds the bill pays it, without signing in and without a name on the page.

    /pay/<token>                          what is open on the bill and on the account, by who receives it
    /pay/<token>/begin                    begin a payment (form)
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

from cloud.payments import links
from cloud.payments.links import CashierPage, LinkPayment
from cloud.payments.rules import AttemptState
from cloud.payments.values import Attempt, Quote
from cloud.tariffs.charge import FundClass
from cloud.web import pay_code
from cloud.web.frame import Frame, page_router, see_other
from cloud.web.money_text import parse_yuan_or_none
from cloud.web.money_words import FUNDS
from common.ids import LegalEntityId

WHOLE = "account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What can be paid in one book: the bill's part and all that is open, and the id of the wish that may follow."""

    receiver: str
    legal_entity_id: LegalEntityId
    fund_class: FundClass
    bill_fen: int
    account_fen: int
    intent_id: UUID


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of the cashier address."""
    router = page_router()
    _add_start(router, frame)
    _add_order(router, frame)
    return router


def _add_start(router: APIRouter, frame: Frame) -> None:
    @router.get("/pay/{token}")
    async def start(request: Request, token: str) -> Response:
        """Show what is open."""
        shown = await links.cashier_page(frame.database, token)
        return frame.page(
            request, "pay/start.html", caller=None, token=token, shown=shown, offers=offers(shown), funds=FUNDS
        )

    @router.post("/pay/{token}/begin")
    async def begin(
        token: str,
        intent_id: Annotated[UUID, Form()],
        legal_entity_id: Annotated[UUID, Form()],
        fund_class: Annotated[FundClass, Form()],
        what: Annotated[str, Form()] = "bill",
        amount: Annotated[str, Form(max_length=20)] = "",
    ) -> Response:
        """Begin a payment of the bill or of all that is open, whole or in part; the same form again is the same one."""
        wish = LinkPayment(
            intent_id=intent_id,
            legal_entity_id=LegalEntityId(legal_entity_id),
            fund_class=fund_class,
            whole_account=what == WHOLE,
            amount_fen=parse_yuan_or_none(amount),
        )
        attempt = await links.start(frame.database, frame.parts.cashier, token, wish)
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
        return frame.page(
            request,
            template,
            caller=None,
            token=token,
            attempt=attempt,
            waiting=waiting,
            code=pay_code.svg(attempt.code_url or "") if waiting else None,
        )


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
        )
        for quote in shown.account_quotes
    ]


def _total_in(quotes: tuple[Quote, ...], like: Quote) -> int:
    return sum(quote.total_fen for quote in quotes if quote.book == like.book)
