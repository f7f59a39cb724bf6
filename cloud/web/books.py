"""The book for those who answer for it: trial balance, closed periods, statements of accounts, files for others.

/books                              trial balance of a community up to a day, closed periods, the form that closes
/books/{community}/accounts/{id}    everything that moved what one account owes and has paid ahead
/books/{community}/book.csv         the whole book, as CSV or Beancount
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response

from cloud.billing import service as billing
from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.errors import MalformedError, NotFoundError
from cloud.kit.httpapi import Paging, paging
from cloud.ledger import exporting, periods, reports
from cloud.ledger.accounts import AccountType
from cloud.ledger.period_endpoints import book_file
from cloud.web.frame import Frame, chosen, communities_of, page_router, see_other
from cloud.web.listing import part
from cloud.web.money_words import ROUTES
from common.civil import Period, civil_day, nth_period
from common.ids import AccountId, CommunityId

Reader = Annotated[Caller, Depends(require(Permission.SEE_PAYMENTS))]
Closer = Annotated[Caller, Depends(require(Permission.CLOSE_BOOKS))]
Wanted = Annotated[Paging, Depends(paging)]
# A day is sealed two days later, when it is over in every zone.
SEALED_AFTER = timedelta(days=2)
TYPES: dict[AccountType, tuple[str, str]] = {
    AccountType.RECEIVABLE: ("应收", "Receivable"),
    AccountType.PREPAYMENT: ("预存", "Paid ahead"),
    AccountType.INCOME: ("收入", "Income"),
    AccountType.AGENCY: ("代收代缴", "Collected for another"),
    AccountType.FUND: ("专项资金", "Fund"),
    AccountType.DEPOSIT_HELD: ("押金", "Deposits held"),
    AccountType.CLEARING: ("在途", "Clearing"),
    AccountType.CASH: ("现金", "Cash"),
    AccountType.BANK: ("银行", "Bank"),
    AccountType.CASH_DIFFERENCE: ("长短款", "Cash differences"),
    AccountType.SUSPENSE: ("挂账", "Suspense"),
    AccountType.CHANNEL_FEE: ("渠道手续费", "Channel fees"),
    AccountType.WRITE_OFF: ("核销", "Written off"),
    AccountType.OPENING: ("期初", "Brought in"),
}


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of the book."""
    router = page_router()
    _add_balance(router, frame)
    _add_files(router, frame)
    return router


def _add_balance(router: APIRouter, frame: Frame) -> None:
    @router.get("/books")
    async def balance(
        request: Request,
        caller: Reader,
        community: Annotated[str | None, Query(max_length=80)] = None,
        through: date | None = None,
    ) -> Response:
        """Show the trial balance of a community and its closed periods."""
        async with frame.database.view(caller.tenant) as session:
            communities = await communities_of(session, caller, Permission.SEE_PAYMENTS)
            one = chosen(communities, community)
            found = await reports.trial_balance(session, one.id, through)
            closed = await periods.closed_periods(session, one.id)
            entities = await estate.entity_names(session)
        today = civil_day(frame.now(), one.zone)
        ahead = _next(closed, today)
        return frame.page(
            request,
            "money/books.html",
            caller=caller,
            communities=communities,
            community=one,
            balance=found,
            closed=closed[::-1],
            entities=entities,
            types=TYPES,
            through=through,
            ahead=ahead,
            may_close=caller.may(Permission.CLOSE_BOOKS, one.id) and ahead.end + SEALED_AFTER <= today,
        )

    @router.post("/books/{community_id}/close")
    async def close(
        community_id: UUID, caller: Closer, start: Annotated[date, Form()], end: Annotated[date, Form()]
    ) -> Response:
        """Close a period."""
        if start >= end:
            raise MalformedError("the period ends before it begins; the end is the first day after it")
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            community = await estate.community(unit.session, CommunityId(community_id))
            await periods.close_period(unit, community.id, Period(start, end))
        return see_other("/books", done="period-closed", community=community.code)


def _add_files(router: APIRouter, frame: Frame) -> None:
    @router.get("/books/{community_id}/accounts/{account_id}")
    async def statement(
        request: Request, community_id: UUID, account_id: UUID, caller: Reader, wanted: Wanted
    ) -> Response:
        """Show everything that moved what an account owes and has paid ahead, oldest first."""
        async with frame.database.view(caller.tenant) as session:
            account = await billing.account(session, AccountId(account_id))
            if account.community_id != community_id:
                raise NotFoundError("there is no such account")
            community = await estate.community(session, CommunityId(community_id))
            day = civil_day(frame.now(), community.zone)
            room = (await estate.premises(session, account.premises_id, day=day)).label
            owed = await reports.statement(session, account_id, [AccountType.RECEIVABLE])
            ahead = await reports.statement(session, account_id, [AccountType.PREPAYMENT])
        return frame.page(
            request,
            "money/account.html",
            caller=caller,
            community=community,
            room=room,
            owed=part(owed, wanted),
            ahead=ahead,
            routes=ROUTES,
        )

    @router.get("/books/{community_id}/book.{form}")
    async def file(community_id: UUID, form: Literal["csv", "beancount"], caller: Reader) -> Response:
        """Answer the whole book as a file."""
        async with frame.database.view(caller.tenant) as session:
            community = await estate.community(session, CommunityId(community_id))
            postings = await exporting.postings_in(session, community.id, None)
        return book_file(postings, community.name, form)


def _next(closed: tuple[periods.ClosedPeriod, ...], today: date) -> Period:
    """Return the period that follows the last closed one: a month, at first the one before this."""
    if closed:
        return nth_period(closed[-1].period.end, 0)
    return nth_period(today.replace(day=1), -1)
