"""Gathering what rating looks at, in a fixed number of statements, whatever the size of the community.

Reads only. What is decided from it stands in the pure modules beside.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate import service as estate
from cloud.fleet import service as fleet
from cloud.metering import claims
from cloud.metering import service as metering
from cloud.metering.registers import IntervalQuestion, RegisterBook, RegisterQuestion
from cloud.rating.counted import CountedDays
from cloud.rating.scope import Desk, PlacedMeter, Scope
from cloud.tariffs import service as tariffs
from cloud.tariffs.book import PriceBook
from cloud.tariffs.calendars import official_calendar
from cloud.tariffs.facts import tariff_facts
from common.civil import Period
from common.ids import CommunityId, PremisesId

# How far back a chain of visits is followed across the beginning of a period.
VISITS_REACH = timedelta(days=31)


async def scope_of(session: AsyncSession, community_id: CommunityId, period: Period, known_at: datetime) -> Scope:
    """Return everything of a community that decides what is due, before any register is read."""
    community = await estate.community(session, community_id)
    prices = await tariffs.price_book(session, community_id, known_at)
    payers = defaultdict(list)
    for span in await estate.payers(session, community_id, period):
        payers[span.premises_id].append(span)
    meters: dict[PremisesId, list[PlacedMeter]] = defaultdict(list)
    public: list[PlacedMeter] = []
    reach = Period(_earliest_tier_year(prices, period), period.end)
    for meter in await fleet.installed_meters(session, community_id, reach):
        placed = PlacedMeter(
            meter_id=meter.meter_id,
            resource=meter.resource,
            premises_id=meter.premises_id,
            multiplier_milli=meter.multiplier_milli,
            digits=meter.digits,
            start=meter.start,
            end=meter.end,
            parent_meter_id=meter.parent_meter_id,
        )
        (public if placed.premises_id is None else meters[placed.premises_id]).append(placed)
    return Scope(
        community_id=community_id,
        zone=community.zone,
        zone_name=community.zone_name,
        period=period,
        known_at=known_at,
        prices=prices,
        premises=tuple(await estate.premises_in(session, community_id, day=period.start, known_at=known_at)),
        payers={premises_id: tuple(spans) for premises_id, spans in payers.items()},
        meters={premises_id: tuple(placed) for premises_id, placed in meters.items()},
        public_meters=tuple(public),
        sessions=await claims.sessions_ended(session, community_id, period, known_at),
        earlier_sessions=await claims.sessions_ended(
            session, community_id, Period(period.start - VISITS_REACH, period.start), known_at
        ),
        calendar=await official_calendar(session, period, known_at),
    )


def _earliest_tier_year(prices: PriceBook, period: Period) -> date:
    spans = (tariff.document.accumulation.span_of(period.start) for tariff in prices.compiled.values())
    return min((span.start for span in spans if span is not None), default=period.start)


async def desk_of(
    session: AsyncSession, scope: Scope, counted: Collection[CountedDays], days: Collection[date]
) -> Desk:
    """Return the scope with the registers of some stretches and the facts of premises on some days."""
    facts = {}
    for day in sorted(days):
        places = await estate.premises_in(session, scope.community_id, day=day, known_at=scope.known_at)
        facts[day] = {place.id: tariff_facts(place.facts) for place in places}
    registers = await _registers(session, scope, counted)
    return Desk(scope=scope, registers=registers, intervals=RegisterBook({}, {}, scope.zone), facts=facts)


async def with_intervals(
    session: AsyncSession, desk: Desk, counted: Collection[CountedDays], moments: frozenset[time]
) -> Desk:
    """Return the desk with the readings of some stretches at some times of each day."""
    if not counted:
        return desk
    scope = desk.scope
    days = {one.days.start + timedelta(days=n) for one in counted for n in range(one.days.days)}
    question = IntervalQuestion(
        community_id=scope.community_id,
        meters=frozenset(one.meter.meter_id for one in counted),
        quantities=frozenset(one.span.quantity for one in counted),
        days=frozenset(days),
        zone=scope.zone,
        known_at=scope.known_at,
        moments=moments,
    )
    return replace(desk, intervals=await metering.interval_book(session, question))


async def _registers(session: AsyncSession, scope: Scope, counted: Collection[CountedDays]) -> RegisterBook:
    if not counted:
        return RegisterBook({}, {}, scope.zone)
    question = RegisterQuestion(
        community_id=scope.community_id,
        meters=frozenset(one.meter.meter_id for one in counted),
        quantities=frozenset(one.span.quantity for one in counted),
        days=frozenset(day for one in counted for day in (one.days.start, one.days.end)),
        zone=scope.zone,
        known_at=scope.known_at,
    )
    return await metering.register_book(session, question)
