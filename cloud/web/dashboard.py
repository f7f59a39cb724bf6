"""The manager's dashboard: billed, received and collection rate by building, arrears, open cases, occupancy.

Every figure is of one community and one billing period, chosen above; tables beside the charts hold the figures to
the fen, and two of them are there as CSV files too.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate.values import Community
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.insights import collection, operations
from cloud.insights.figures import Collected, DayReceipts, PeriodCollection
from cloud.kit import stopped_jobs
from cloud.web import charts
from cloud.web.frame import Frame, chosen, communities_of, page_router
from cloud.web.listing import csv_file
from cloud.web.rendering import mask_name, percent, yuan
from common.civil import Period, civil_day, month_of

PERIODS_SHOWN = 12
TREND_PERIODS = 6
DEBTORS_SHOWN = 10
DEBTORS_FILED = 100

Viewer = Annotated[Caller, Depends(require(Permission.SEE_DASHBOARD))]
CommunityCode = Annotated[str | None, Query(max_length=80)]


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of the dashboard."""
    router = page_router()

    @router.get("/dashboard")
    async def dashboard(
        request: Request, caller: Viewer, community: CommunityCode = None, period: date | None = None
    ) -> Response:
        """Show the figures of a community and period."""
        async with frame.database.view(caller.tenant) as session:
            communities = await communities_of(session, caller, Permission.SEE_DASHBOARD)
            one = chosen(communities, community)
            values = await _figures(session, one, civil_day(frame.now(), one.zone), period)
            keeps_work = caller.scope(Permission.MANAGE_USERS).everywhere
            stopped = await stopped_jobs.count(session) if keeps_work else 0
        return frame.page(
            request,
            "manager/dashboard.html",
            caller=caller,
            communities=communities,
            community=one,
            stopped=stopped,
            **values,
        )

    @router.get("/dashboard/collection.csv")
    async def collection_file(caller: Viewer, period: date, community: CommunityCode = None) -> Response:
        """Answer the collection by building as a file."""
        async with frame.database.view(caller.tenant) as session:
            one = chosen(await communities_of(session, caller, Permission.SEE_DASHBOARD), community)
            rows = await collection.by_building(session, one.id, period)
        header = ("楼栋 building", "户数 accounts", "应收 billed", "实收 received", "未收 open", "收缴率 rate")
        return csv_file(
            f"collection-{period.isoformat()}.csv",
            header,
            ((row.name, row.accounts, *_amounts(row.collected)) for row in rows),
        )

    @router.get("/dashboard/arrears.csv")
    async def arrears_file(caller: Viewer, community: CommunityCode = None) -> Response:
        """Answer the largest arrears as a file."""
        async with frame.database.view(caller.tenant) as session:
            one = chosen(await communities_of(session, caller, Permission.SEE_DASHBOARD), community)
            today = civil_day(frame.now(), one.zone)
            rows = await collection.debtors(session, one.id, today, DEBTORS_FILED)
        return csv_file(
            f"arrears-{today.isoformat()}.csv",
            ("房屋 premises", "欠费人 debtor", "欠费 overdue", "最早到期 since"),
            ((row.room, mask_name(row.party_name), yuan(row.overdue_fen), row.since.isoformat()) for row in rows),
        )

    return router


def _amounts(collected: Collected) -> tuple[str, ...]:
    return (
        yuan(collected.billed_fen),
        yuan(collected.received_fen),
        yuan(collected.open_fen),
        percent(collected.received_fen, collected.billed_fen),
    )


async def _figures(session: AsyncSession, community: Community, today: date, start: date | None) -> dict[str, Any]:
    periods = await collection.last_periods(session, community.id, today, PERIODS_SHOWN)
    trend = await collection.by_period(session, community.id, periods[:TREND_PERIODS])
    period = _period(periods, trend, start)
    month = period or month_of(today)
    buildings = () if period is None else await collection.by_building(session, community.id, period.start)
    receipts = await collection.receipts(session, community.id, month)
    return {
        "period": period,
        "periods": periods,
        "month": month,
        "total": Collected(
            billed_fen=sum(row.collected.billed_fen for row in buildings),
            received_fen=sum(row.collected.received_fen for row in buildings),
        ),
        "buildings": buildings,
        "receipts_fen": sum(day.fen for day in receipts),
        "debtors": [
            (debtor, mask_name(debtor.party_name))
            for debtor in await collection.debtors(session, community.id, today, DEBTORS_SHOWN)
        ],
        "cases": await operations.open_cases(session, community.id),
        "lots": await operations.occupancy(session, community.id),
        "trend": trend,
        "chart_buildings": _by_building_chart([(row.name, row.collected) for row in buildings]),
        "chart_trend": _trend_chart(trend),
        "chart_receipts": _receipts_chart(receipts),
    }


def _period(periods: list[Period], trend: tuple[PeriodCollection, ...], start: date | None) -> Period | None:
    """Return the period asked for, else the newest with a bill, else the newest."""
    billed = [row.start for row in trend if row.collected.billed_fen]
    wanted = start if start is not None or not billed else billed[-1]
    return next((one for one in periods if one.start == wanted), periods[0] if periods else None)


def _by_building_chart(rows: list[tuple[str | None, Collected]]) -> charts.Option:
    return charts.bars(
        [name or "其他 other" for name, _ in rows],
        [
            ("应收 billed", charts.QUIET, [collected.billed_fen for _, collected in rows]),
            ("实收 received", charts.GOOD, [collected.received_fen for _, collected in rows]),
        ],
    )


def _trend_chart(trend: tuple[PeriodCollection, ...]) -> charts.Option:
    return charts.bars(
        [row.start.strftime("%Y-%m") for row in trend],
        [
            ("应收 billed", charts.QUIET, [row.collected.billed_fen for row in trend]),
            ("实收 received", charts.GOOD, [row.collected.received_fen for row in trend]),
        ],
    )


def _receipts_chart(receipts: tuple[DayReceipts, ...]) -> charts.Option:
    return charts.curve([day.day.strftime("%m-%d") for day in receipts], "到账 receipts", [day.fen for day in receipts])
