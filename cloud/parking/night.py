"""The night parker's statement: what a vehicle that stood in a lot over the night is told in the morning, once.

The amount is what the stay cost until the end of the night by the same engine and tariff as its bill; a stay that
cannot be priced says why and is never told to be free. A stay that a permit covers is not stated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate import service as estate
from cloud.estate.values import Community
from cloud.kit.db import Unit
from cloud.parking import repository
from cloud.parking.kinds import Settlement, VehicleClass
from cloud.parking.rules import stay_of
from cloud.parking.service import permit_of, seen_of
from cloud.parking.tables import ParkingPermitRow, ParkingSessionRow
from cloud.tariffs import service as tariffs
from cloud.tariffs.assignment import Effect
from cloud.tariffs.book import PriceBook
from cloud.tariffs.charge import ChargeBasis
from cloud.tariffs.targets import lot_target
from common.civil import Period, civil_day
from common.errors import RefusalError
from common.ids import CommunityId, PremisesId
from common.rating.engine import rate
from common.rating.request import RatingRequest, Session, Visit

NIGHT_BEGINS, NIGHT_ENDS = time(22), time(6)
STOOD_LEAST = timedelta(hours=2)
SHOWN_NIGHTS = 60
NO_TARIFF = "no tariff is assigned to the lot"
_COVERED = frozenset({VehicleClass.MONTHLY, VehicleClass.VIP})
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NightStatement:
    """One night of one stay; `until` is where the statement counts to, `left` is None for a vehicle still inside."""

    session_id: UUID
    night: date
    lot: str
    entered: datetime
    until: datetime
    left: datetime | None
    amount_fen: int | None
    reason: str

    @property
    def minutes(self) -> int:
        """Return how long the vehicle had stood when the night ended."""
        return (self.until - self.entered) // timedelta(minutes=1)


def night_before(day: date, community: Community) -> tuple[datetime, datetime]:
    """Return the beginning and the end of the night that ended on a civil day."""
    begins = datetime.combine(day - _ONE_DAY, NIGHT_BEGINS, tzinfo=community.zone)
    return begins.astimezone(UTC), datetime.combine(day, NIGHT_ENDS, tzinfo=community.zone).astimezone(UTC)


async def state_night(unit: Unit, community_id: CommunityId, day: date) -> int:
    """State the night that ended on a day for every vehicle that stood through it, and return how many there are."""
    community = await estate.community(unit.session, community_id)
    begins, ends = night_before(day, community)
    stays = [
        row
        for row in await repository.standing(unit.session, community_id, begins, ends)
        if _stood(row, begins, ends) >= STOOD_LEAST and row.vehicle_class not in _COVERED
    ]
    if not stays:
        return 0
    prices = await tariffs.price_book(unit.session, community_id, unit.now)
    acts = await repository.events_of(unit.session, [row.session_id for row in stays])
    for row in stays:
        own = [act for act in acts if act.session_id == row.session_id]
        permit = await permit_of(unit.session, own, stay_of([seen_of(act) for act in own]), ends)
        await repository.add_statement(unit.session, _row(unit, row, permit, (day, ends), (prices, community)))
    unit.record("stated", "parking_night", community_id, after={"night": day.isoformat(), "vehicles": len(stays)})
    return len(stays)


async def statements(
    session: AsyncSession, community_id: CommunityId, since: date, premises: Sequence[PremisesId] | None = None
) -> list[NightStatement]:
    """Return the statements of a community since a night, newest first; those of some premises when they are given."""
    return [
        NightStatement(
            session_id=row.session_id,
            night=row.night,
            lot=row.lot,
            entered=row.entered_at,
            until=row.until_at,
            left=row.left_at,
            amount_fen=row.amount_fen,
            reason=row.reason,
        )
        for row in await repository.statements(session, community_id, premises, since)
    ]


def _stood(row: ParkingSessionRow, begins: datetime, ends: datetime) -> timedelta:
    if row.entered_at is None:
        return timedelta(0)
    return min(row.left_at or ends, ends) - max(row.entered_at, begins)


def _row(
    unit: Unit,
    row: ParkingSessionRow,
    permit: ParkingPermitRow | None,
    night: tuple[date, datetime],
    known: tuple[PriceBook, Community],
) -> Mapping[str, object]:
    day, ends = night
    entered, until = row.entered_at or ends, min(row.left_at or ends, ends)
    amount_fen, reason = _priced(row, permit, until, known)
    return {
        "tenant_id": unit.tenant,
        "community_id": row.community_id,
        "session_id": row.session_id,
        "night": day,
        "lot": row.lot,
        "premises_id": None if permit is None else permit.premises_id,
        "entered_at": entered,
        "until_at": until,
        "left_at": row.left_at,
        "amount_fen": amount_fen,
        "reason": reason,
        "recorded_at": unit.now,
    }


def _priced(
    row: ParkingSessionRow, permit: ParkingPermitRow | None, until: datetime, known: tuple[PriceBook, Community]
) -> tuple[int | None, str]:
    """Return what the stay cost until an instant, or None and the reason."""
    if row.settlement is Settlement.NOTHING:
        return 0, ""
    prices, community = known
    entered = row.entered_at or until
    day = civil_day(entered, community.zone)
    items = [item for item in prices.items.values() if item.basis is ChargeBasis.PARKING]
    for item in items:
        assigned = prices.assignments.assigned(item.charge_item_id, (lot_target(row.lot),), day)
        if assigned is None or assigned.effect is not Effect.CHARGE or assigned.tariff_id is None:
            continue
        try:
            revision = prices.revision_on(assigned.tariff_id, day)
            request = RatingRequest(
                period=Period(day, civil_day(until, community.zone) + _ONE_DAY),
                traits={"vehicle_class": row.vehicle_class},
                session=Session(
                    visits=(Visit(entry=entered, exit=until),),
                    zone=community.zone,
                    zone_name=community.zone_name,
                    granted_minutes=0 if permit is None else permit.granted_minutes,
                ),
            )
            return rate(prices.compiled[revision.body_sha], request).amount_fen, ""
        except RefusalError as refusal:
            return None, str(refusal)
    return None, NO_TARIFF
