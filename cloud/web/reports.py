"""Reports of what came in: by day, month or year, by channel, method, fund and item, with the shifts of those days.

/reports                              the figures on a page, with a chart
/reports/{community}/receipts.csv     every row behind them, for a spreadsheet; .xlsx the same as a workbook
The figures are those of the book, and the page says so beside them: what the money accounts moved by.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import xlsxwriter
from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate import service as estate
from cloud.estate.values import Community
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.insights import receipts
from cloud.insights.receipts import MoneyMove
from cloud.ledger import reports as book
from cloud.ledger.accounts import AccountType
from cloud.payments import sub_methods
from cloud.web import charts
from cloud.web.frame import Frame, chosen, communities_of, page_router
from cloud.web.listing import Cell, csv_file
from cloud.web.money_words import CHANNELS, FUNDS, METHODS, ROUTES, Words
from cloud.web.rendering import yuan
from common.civil import Period, civil_day, days_of, nth_period
from common.ids import CommunityId

Reader = Annotated[Caller, Depends(require(Permission.SEE_PAYMENTS))]
Span = Literal["day", "month", "year"]
SPANS: dict[Span, Words] = {"day": ("日报", "a day"), "month": ("月报", "a month"), "year": ("年报", "a year")}
NO_WAY: Words = ("—", "no payment behind it")
MONEY = frozenset({AccountType.CLEARING, AccountType.CASH, AccountType.BANK})
HEADER = (
    "日期 day",
    "渠道 channel",
    "方式 method",
    "资金 fund",
    "去向 route",
    "项目 item",
    "笔数 movements",
    "金额(元) yuan",
)
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FEN = 100
_WIDTH = 18
_MONTHS = 12
_LAST_YEAR = 9998
_FIRST_YEAR = 2000
Wanted = Annotated[Span, Query()]
On = Annotated[date | None, Query()]


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of reports."""
    router = page_router()

    @router.get("/reports")
    async def report(
        request: Request,
        caller: Reader,
        span: Wanted = "month",
        on: On = None,
        community: Annotated[str | None, Query(max_length=80)] = None,
    ) -> Response:
        """Show what came in and went out in a day, a month or a year."""
        async with frame.database.view(caller.tenant) as session:
            communities = await communities_of(session, caller, Permission.SEE_PAYMENTS)
            here = chosen(communities, community)
            days = days_meant(span, _bounded(on or civil_day(frame.now(), here.zone)))
            moves = await receipts.money_moves(session, here.id, days)
            shifts = () if span == "year" else await receipts.shift_summaries(session, here.id, days, here.zone)
            moved_fen = await _moved_fen(session, here, days)
        return frame.page(
            request,
            "money/reports.html",
            caller=caller,
            communities=communities,
            community=here,
            span=span,
            spans=SPANS,
            on=days.start,
            days=days,
            totals=receipts.totals(moves),
            moved_fen=moved_fen,
            by_way=receipts.grouped(moves, lambda one: (way_of(one), FUNDS[one.fund_class])),
            by_item=receipts.grouped(moves, lambda one: (item_of(one), FUNDS[one.fund_class])),
            shifts=shifts,
            ways=(CHANNELS, METHODS),
            chart_report=_chart(moves, span, days),
        )

    @router.get("/reports/{community_id}/receipts.{form}")
    async def file(
        community_id: UUID, form: Literal["csv", "xlsx"], caller: Reader, span: Wanted = "month", on: On = None
    ) -> Response:
        """Answer the rows behind a report as a file."""
        caller.require(Permission.SEE_PAYMENTS, CommunityId(community_id))
        async with frame.database.view(caller.tenant) as session:
            here = await estate.community(session, CommunityId(community_id))
            days = days_meant(span, _bounded(on or civil_day(frame.now(), here.zone)))
            moves = await receipts.money_moves(session, here.id, days)
        name = f"receipts-{days.start.isoformat()}.{form}"
        if form == "csv":
            return csv_file(name, HEADER, [(*_cells(move), yuan(move.fen).replace(",", "")) for move in moves])
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(workbook(moves), media_type=_XLSX, headers=headers)

    return router


def days_meant(span: Span, on: date) -> Period:
    """Return the day, month or year in which a day lies."""
    if span == "day":
        return Period(on, date.fromordinal(on.toordinal() + 1))
    if span == "month":
        return nth_period(on.replace(day=1), 0)
    return Period(on.replace(month=1, day=1), on.replace(year=on.year + 1, month=1, day=1))


def way_of(move: MoneyMove) -> Words:
    """Return by which channel and method something moved."""
    if move.channel is None:
        return NO_WAY
    zh, en = sub_methods.told(CHANNELS[move.channel], move.sub_method)
    more = ("", "") if move.method is None else METHODS[move.method]
    return f"{zh} · {more[0]}", f"{en}, {more[1]}"


def item_of(move: MoneyMove) -> Words:
    """Return for what something moved: the charge item, or the route where it names none."""
    return (move.name_zh, move.name_en) if move.item_code else ROUTES[move.route]


def workbook(moves: Sequence[MoneyMove]) -> bytes:
    """Return movements as a workbook; amounts are numbers of yuan."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as made:
        sheet = made.add_worksheet("receipts")
        head, money = made.add_format({"bold": True}), made.add_format({"num_format": "#,##0.00"})
        for column, title in enumerate(HEADER):
            sheet.write_string(0, column, title, head)
            sheet.set_column(column, column, _WIDTH)
        for n, move in enumerate(moves, start=1):
            for column, cell in enumerate(_cells(move)):
                if isinstance(cell, int):
                    sheet.write_number(n, column, cell)
                else:
                    sheet.write_string(n, column, str(cell))
            sheet.write_number(n, len(HEADER) - 1, move.fen / _FEN, money)
        sheet.freeze_panes(1, 0)
    return out.getvalue()


def _cells(move: MoneyMove) -> Sequence[Cell]:
    return (
        move.day.isoformat(),
        "" if move.channel is None else " ".join(sub_methods.told(CHANNELS[move.channel], move.sub_method)),
        "" if move.method is None else " ".join(METHODS[move.method]),
        " ".join(FUNDS[move.fund_class]),
        " ".join(ROUTES[move.route]),
        " ".join(item_of(move)),
        move.moves,
    )


def _bounded(on: date) -> date:
    """Return a day whose year has a year after it."""
    return min(max(on, date(_FIRST_YEAR, 1, 1)), date(_LAST_YEAR, 12, 31))


async def _moved_fen(session: AsyncSession, here: Community, days: Period) -> int:
    """Return what the trial balance says the money accounts moved by: at the end, less before the first day."""
    ends = (date.fromordinal(days.start.toordinal() - 1), date.fromordinal(days.end.toordinal() - 1))
    before, after = [
        sum(line.balance_fen for line in (await book.trial_balance(session, here.id, end)).lines if line.type in MONEY)
        for end in ends
    ]
    return after - before


def _chart(moves: Sequence[MoneyMove], span: Span, days: Period) -> charts.Option:
    if span == "day":
        by_way = receipts.grouped(moves, lambda one: (way_of(one)[0],))
        names = [str(name) for (name,) in by_way]
        found = list(by_way.values())
    else:
        steps = [day.isoformat() for day in days_of(days)]
        if span == "year":
            steps = [f"{days.start.year}-{month:02d}" for month in range(1, _MONTHS + 1)]
        by_step = receipts.grouped(moves, lambda one: (one.day.isoformat()[: len(steps[0])],))
        names = steps
        found = [by_step.get((step,), receipts.Totals()) for step in steps]
    return charts.bars(
        names,
        [
            ("收入 received", charts.ACCENT, [one.received_fen for one in found]),
            ("退回 given back", charts.QUIET, [-one.given_back_fen for one in found]),
        ],
    )
