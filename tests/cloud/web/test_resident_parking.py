"""A resident sees the nights of his own vehicles, drawn over the hours; nobody else's."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy import text

from cloud.billing import service as billing
from cloud.estate.values import Community
from cloud.fleet import service as fleet
from cloud.kit.actor import system_actor
from cloud.parking.night import NightStatement
from cloud.parking.service import add_lot
from cloud.parking.tables import NightStatementRow
from cloud.web.resident_parking import draw
from common.ids import CommunityId
from tests.cloud.web.front import Front, words_of

NIGHT = NightStatement(
    session_id=UUID(int=1),
    night=date(2026, 1, 6),
    lot="north",
    entered=datetime(2026, 1, 5, 10, tzinfo=UTC),
    until=datetime(2026, 1, 5, 22, tzinfo=UTC),
    left=None,
    amount_fen=5500,
    reason="",
)


def test_the_dark_hours_are_drawn_at_their_place() -> None:
    community = Community(id=CommunityId(UUID(int=2)), code="lake", name="湖畔", zone_name="Asia/Shanghai")
    drawn = draw(NIGHT, community)
    assert (drawn.hours, drawn.minutes) == (12, 0)
    assert (drawn.night_from, drawn.night_width) == (200, 400)
    assert [tick.text for tick in drawn.ticks] == ["18:00", "20:00", "22:00", "00:00", "02:00", "04:00", "06:00"]


async def told(front: Front, flat: int, amount_fen: int | None) -> None:
    """Tell a flat of its vehicle's night before today."""
    database, tenant = front.counter.database, front.counter.tenant
    async with database.view(tenant) as session:
        account = await billing.account(session, await front.account(flat))
    async with database.unit(tenant, system_actor("test")) as unit:
        known = (await unit.session.execute(text("select count(*) from parking_lot"))).scalar_one()
        if not known:
            gateway_id, _ = await fleet.create_gateway(unit, label="gate")
            await add_lot(unit, account.community_id, lot="north", gateway_id=gateway_id, spaces=None)
        unit.session.add(
            NightStatementRow(
                tenant_id=tenant,
                community_id=account.community_id,
                session_id=unit.new_id(),
                night=unit.now.date(),
                lot="north",
                premises_id=account.premises_id,
                entered_at=unit.now,
                until_at=unit.now,
                left_at=None,
                amount_fen=amount_fen,
                reason="" if amount_fen is not None else "no price",
                recorded_at=unit.now,
            )
        )
        unit.record("stated", "parking_night", account.account_id)


async def test_the_own_nights_are_shown_with_their_cost_and_nobody_elses(front: Front) -> None:
    await front.bill_some_of_everything()
    await told(front, 0, 4321)
    await told(front, 1, 9876)
    await told(front, 0, None)
    async with front.resident() as browser:
        page = await browser.get("/my/parking")
    words = words_of(page)
    assert "¥43.21" in words
    assert "¥98.76" not in words
    assert "费用待核" in words
    assert page.text.count("<svg") >= 2
