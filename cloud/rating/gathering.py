"""Gathering what rating looks at, in a fixed number of statements, whatever the size of the community.

Several periods are read together: what holds for all of them once, what changes from day to day as its whole history.
Reads only. What is decided from it stands in the pure modules beside.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate import service as estate
from cloud.estate.history import PremisesHistory
from cloud.estate.values import Community, PayerSpan, Premises
from cloud.fleet import service as fleet
from cloud.fleet.values import InstalledMeter
from cloud.metering import claims
from cloud.metering import service as metering
from cloud.metering.registers import IntervalQuestion, RegisterBook, RegisterQuestion
from cloud.metering.sessions import UsageSession
from cloud.rating.counted import CountedDays
from cloud.rating.scope import Desk, PlacedMeter, Scope
from cloud.tariffs import service as tariffs
from cloud.tariffs.book import KnownCalendar, PriceBook
from cloud.tariffs.calendars import official_calendars
from cloud.tariffs.charge import ChargeBasis
from cloud.tariffs.facts import tariff_facts
from common.civil import Period
from common.ids import CommunityId, PremisesId

# How far back a chain of visits is followed across the beginning of a period.
VISITS_REACH = timedelta(days=31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The scopes of some periods, in their order, and the premises on any day, as known at one instant."""

    scopes: tuple[Scope, ...]
    places: PremisesHistory


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What one period asks for beyond its scope: stretches of registers, and days of facts."""

    counted: Collection[CountedDays]
    days: Collection[date]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is read once for all periods."""

    community: Community
    known_at: datetime
    prices: PriceBook
    places: PremisesHistory
    meters: Sequence[InstalledMeter]
    sessions: Sequence[UsageSession]


async def gather(
    session: AsyncSession,
    community_id: CommunityId,
    periods: Sequence[Period],
    known_at: datetime,
    premises: Collection[PremisesId] | None = None,
) -> Gathered:
    """Return everything of a community that decides what is due in some periods, before any register is read.

    With `premises`, payers and meters are those of these premises; costs that are shared still see all who share.
    """
    prices = await tariffs.price_book(session, community_id, known_at)
    bases = {item.basis for item in prices.items.values()}
    whole = Period(periods[0].start, periods[-1].end)
    reach = Period(min(_earliest_tier_year(prices, period) for period in periods), whole.end)
    only = None if ChargeBasis.SHARE in bases else premises
    stays = Period(whole.start - VISITS_REACH, whole.end)
    known = _Known(
        community=await estate.community(session, community_id),
        known_at=known_at,
        prices=prices,
        places=await estate.premises_history(session, community_id, known_at, only),
        meters=await fleet.installed_meters(session, community_id, reach, premises),
        sessions=await claims.sessions_ended(session, community_id, stays, known_at)
        if ChargeBasis.PARKING in bases
        else (),
    )
    payers = await estate.payers_by_period(session, community_id, periods, premises)
    calendars = await official_calendars(session, periods, known_at)
    scopes = tuple(map(_scope, [known] * len(periods), periods, payers, calendars))
    return Gathered(scopes=scopes, places=known.places)


def _scope(known: _Known, period: Period, spans: Sequence[PayerSpan], calendar: KnownCalendar | None) -> Scope:
    payers: dict[PremisesId, list[PayerSpan]] = defaultdict(list)
    for span in spans:
        payers[span.premises_id].append(span)
    meters: dict[PremisesId, list[PlacedMeter]] = defaultdict(list)
    public: list[PlacedMeter] = []
    reach = Period(_earliest_tier_year(known.prices, period), period.end)
    for meter in known.meters:
        placed = _placed(meter)
        if placed.within(reach) is not None:
            (public if placed.premises_id is None else meters[placed.premises_id]).append(placed)
    return Scope(
        community_id=known.community.id,
        zone=known.community.zone,
        zone_name=known.community.zone_name,
        period=period,
        known_at=known.known_at,
        prices=known.prices,
        premises=known.places.on(period.start),
        payers={premises_id: tuple(theirs) for premises_id, theirs in payers.items()},
        meters={premises_id: tuple(placed) for premises_id, placed in meters.items()},
        public_meters=tuple(public),
        sessions=_ended_in(known.sessions, period),
        earlier_sessions=_ended_in(known.sessions, Period(period.start - VISITS_REACH, period.start)),
        calendar=calendar,
    )


def _ended_in(sessions: Sequence[UsageSession], days: Period) -> tuple[UsageSession, ...]:
    return tuple(one for one in sessions if one.ended_day in days)


def _placed(meter: InstalledMeter) -> PlacedMeter:
    return PlacedMeter(
        meter_id=meter.meter_id,
        resource=meter.resource,
        premises_id=meter.premises_id,
        multiplier_milli=meter.multiplier_milli,
        digits=meter.digits,
        start=meter.start,
        end=meter.end,
        parent_meter_id=meter.parent_meter_id,
    )


def _earliest_tier_year(prices: PriceBook, period: Period) -> date:
    spans = (tariff.document.accumulation.span_of(period.start) for tariff in prices.compiled.values())
    return min((span.start for span in spans if span is not None), default=period.start)


async def desks_of(session: AsyncSession, gathered: Gathered, wanted: Sequence[Wanted]) -> list[Desk]:
    """Return each scope with the registers and the facts that it wants; registers are read for all in one go."""
    facts: dict[int, Mapping[PremisesId, Mapping[str, int]]] = {}

    def facts_on(day: date) -> Mapping[PremisesId, Mapping[str, int]]:
        places: tuple[Premises, ...] = gathered.places.on(day)
        if id(places) not in facts:
            facts[id(places)] = {place.id: tariff_facts(place.facts) for place in places}
        return facts[id(places)]

    registers = await _registers(session, gathered.scopes, wanted)
    return [
        Desk(
            scope=scope,
            registers=book,
            intervals=RegisterBook({}, {}, scope.zone),
            facts={day: facts_on(day) for day in sorted(one.days)},
        )
        for scope, one, book in zip(gathered.scopes, wanted, registers, strict=True)
    ]


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


async def _registers(
    session: AsyncSession, scopes: Sequence[Scope], wanted: Sequence[Wanted]
) -> Sequence[RegisterBook]:
    if not any(one.counted for one in wanted):
        return [RegisterBook({}, {}, scope.zone) for scope in scopes]
    questions = [
        RegisterQuestion(
            community_id=scope.community_id,
            meters=frozenset(stretch.meter.meter_id for stretch in one.counted),
            quantities=frozenset(stretch.span.quantity for stretch in one.counted),
            days=frozenset(day for stretch in one.counted for day in (stretch.days.start, stretch.days.end))
            or frozenset({scope.period.start}),
            zone=scope.zone,
            known_at=scope.known_at,
        )
        for scope, one in zip(scopes, wanted, strict=True)
    ]
    return await metering.register_books(session, questions)
