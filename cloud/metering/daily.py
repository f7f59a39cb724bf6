"""Once a day over the blocks: water meters against their own weeks, buildings against sub-meters, months by month.

Reads what is stored and raises cases; changes no reading. A meter is looked at only where its blocks hold hours, and
only from its installation on, so a swapped meter begins anew. A question is asked for some meters at a time, so that a
large community does not fill the memory.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate import service as estate
from cloud.estate.values import Community
from cloud.fleet import service as fleet
from cloud.fleet.values import InstalledMeter
from cloud.kit.runner import JobContext
from cloud.kit.schedules import Schedule
from cloud.metering import anomalies, repository, service
from cloud.metering.anomalies import SlowFinding, SlowRule
from cloud.metering.events import OddityFound
from cloud.metering.hourly import HOURS, hours_of, span_of
from cloud.metering.registers import BILLED_QUANTITY, IntervalQuestion, RegisterBook, RegisterQuestion
from cloud.metering.usage import UsageSegment
from common.civil import Period, days_of, nth_month
from common.ids import MeterId
from common.measure.quantity import format_milli
from common.reading.reading import Quantity, Resource

LOOK_BACK = "metering.look_back"
SCHEDULE = Schedule(name="look_back", kind=LOOK_BACK, at=time(5, 30))
WEEKS = timedelta(days=28)
METERS_AT_ONCE = 100
COUNT_MIN = 20
MONTHS_BACK = 13
_ONE_DAY = timedelta(days=1)
_WATER = frozenset({Resource.WATER, Resource.HOT_WATER})
_WORDS: Mapping[SlowRule, tuple[str, str]] = {
    SlowRule.SMALL_LEAK: (
        "近几日最少的一小时仍用水 {value} 升，以往最多 {limit} 升以下；疑似细小漏水，请查龙头、阀门与水箱。",
        "the quietest hour of each recent day used {value} L, below {limit} L before; look at taps and valves",
    ),
    SlowRule.RUNNING_TOILET: (
        "近一周夜间有 {value}% 的小时在走水，通常低于 {limit}%；疑似马桶漏水，请查水箱浮球。",
        "water ran in {value} % of the night's hours this week, usually under {limit} %; look at the toilet's float",
    ),
    SlowRule.DAYTIME_LEAK: (
        "近几日白天没有一小时少于 {value} 升，通常有少于 {limit} 升的时候；疑似白天漏水或长流水。",
        "no daytime hour of the last days was below {value} L, usually some are below {limit} L; water runs all day",
    ),
    SlowRule.ABNORMAL_MONTHS: (
        "连续三个月每月至少用 {value}，高于该户常量的界限 {limit}；请核对用途与漏损。",
        "three months in a row of at least {value} against a limit of {limit} from its own usual month",
    ),
    SlowRule.BUILDING_LOSS: (
        "总表连续三日比分表之和多出 {value}% 以上，界限 {limit}%；请查漏损、未装表用户与倍率。",
        "the total stands {value} % above its sub-meters three days in a row, limit {limit} %: leak, tap or multiplier",
    ),
    SlowRule.BUILDING_GAIN: (
        "分表之和连续三日比总表多出 {value}% 以上，界限 {limit}%；请查总表、倍率与上下级关系。",
        "the sub-meters say {value} % more than their total three days in a row, limit {limit} %: look at the total",
    ),
}


async def look_back(context: JobContext) -> None:
    """Look back from the day of the job over every community, raise what is odd, and finish, in one commit."""
    today = date.fromisoformat(context.job.payload["day"])
    async with context.finishing_unit() as unit:
        for community in await estate.communities(unit.session):
            for finding in await odd_of(unit.session, community, today, unit.now):
                unit.publish(finding)


async def odd_of(session: AsyncSession, community: Community, today: date, known_at: datetime) -> list[OddityFound]:
    """Return what the days before `today` show in one community."""
    placed = await fleet.installed_meters(session, community.id, Period(today - _ONE_DAY, today))
    look = _Look(session, community, today, known_at)
    found = [*await look.households(placed), *await look.buildings(placed)]
    return found if today.day > 1 else [*found, *await look.months(placed)]


class _Look:
    """One community as of one day."""

    def __init__(self, session: AsyncSession, community: Community, today: date, known_at: datetime) -> None:
        self._session = session
        self._community = community
        self._today = today
        self._known_at = known_at

    async def households(self, placed: Sequence[InstalledMeter]) -> list[OddityFound]:
        """Hold each water meter's last days against its own weeks."""
        start = self._today - WEEKS
        water = [one for one in placed if one.resource in _WATER and one.premises_id is not None]
        hourly = await self._hourly(water)
        found = []
        for some in _some([one for one in water if one.meter_id in hourly]):
            book = await service.interval_book(self._session, self._interval(some, start))
            for one in some:
                first = max(start, one.start)
                days = [hours_of(book, one, day, self._community.zone) for day in days_of(Period(first, self._today))]
                found += [self._odd(one, each) for each in anomalies.household(days)]
        return found

    async def buildings(self, placed: Sequence[InstalledMeter]) -> list[OddityFound]:
        """Hold each total against the sum of the meters below it, day by day."""
        below: dict[MeterId, list[InstalledMeter]] = defaultdict(list)
        for one in placed:
            if one.parent_meter_id is not None:
                below[one.parent_meter_id].append(one)
        totals = [one for one in placed if one.meter_id in below]
        days = [self._today - _ONE_DAY * n for n in range(anomalies.LIMITS.loss_days, 0, -1)]
        found = []
        for total in totals:
            family = [total, *(one for one in below[total.meter_id] if one.resource is total.resource)]
            if len(family) == 1:
                continue
            book = await service.register_book(self._session, self._question(family, [*days, self._today]))
            finding = anomalies.building([_balance(book, family, day) for day in days])
            if finding is not None:
                found.append(self._odd(total, finding))
        return found

    async def months(self, placed: Sequence[InstalledMeter]) -> list[OddityFound]:
        """Hold each household's last three months against its own usual month."""
        starts = [nth_month(self._today, -n) for n in range(MONTHS_BACK, -1, -1)]
        homes = [one for one in placed if one.premises_id is not None]
        found = []
        for some in _some(homes):
            book = await service.register_book(self._session, self._question(some, starts))
            for one in some:
                used = [_used(book, one, Period(a, b)) for a, b in pairwise(starts)]
                finding = anomalies.abnormal_months(used)
                if finding is not None:
                    found.append(self._odd(one, finding))
        return found

    async def _hourly(self, meters: Sequence[InstalledMeter]) -> set[MeterId]:
        """Return the meters whose yesterday holds hours."""
        yesterday = Period(self._today - _ONE_DAY, self._today)
        ids = [one.meter_id for one in meters]
        counts = await repository.day_counts(self._session, self._community.id, ids, yesterday)
        return {edge.key.meter_id for edge in counts if edge.count >= COUNT_MIN}

    def _question(self, meters: Sequence[InstalledMeter], days: Sequence[date]) -> RegisterQuestion:
        return RegisterQuestion(
            community_id=self._community.id,
            meters=frozenset(one.meter_id for one in meters),
            quantities=frozenset(BILLED_QUANTITY[one.resource] for one in meters),
            days=frozenset(days),
            zone=self._community.zone,
            known_at=self._known_at,
        )

    def _interval(self, meters: Sequence[InstalledMeter], start: date) -> IntervalQuestion:
        return IntervalQuestion(
            community_id=self._community.id,
            meters=frozenset(one.meter_id for one in meters),
            quantities=frozenset({Quantity.VOLUME}),
            days=frozenset(days_of(Period(start, self._today + _ONE_DAY))),
            zone=self._community.zone,
            known_at=self._known_at,
            moments=HOURS,
        )

    def _odd(self, meter: InstalledMeter, finding: SlowFinding) -> OddityFound:
        zh, en = _WORDS[finding.rule]
        in_units = finding.rule is SlowRule.ABNORMAL_MONTHS
        value, limit = (format_milli(n) if in_units else str(n) for n in (finding.value, finding.limit))
        return OddityFound(
            key=f"{finding.rule}:{meter.meter_id}:{self._today}",
            kind="anomaly",
            reason=finding.rule.value,
            object_kind="meter",
            object_id=meter.meter_id,
            subject=BILLED_QUANTITY[meter.resource].value,
            community_id=self._community.id,
            detail_zh=zh.format(value=value, limit=limit),
            detail_en=en.format(value=value, limit=limit),
            figures={"value": finding.value, "limit": finding.limit, "day": self._today.isoformat()},
        )


def _some(meters: Sequence[InstalledMeter]) -> Iterator[Sequence[InstalledMeter]]:
    for start in range(0, len(meters), METERS_AT_ONCE):
        yield meters[start : start + METERS_AT_ONCE]


def _balance(book: RegisterBook, family: Sequence[InstalledMeter], day: date) -> tuple[int, int] | None:
    """Return what a total and the meters below it used on a day; None when one of them is not known."""
    period = Period(day, day + _ONE_DAY)
    used = [_used(book, one, period) for one in family]
    known = [one for one in used if one is not None]
    return (known[0], sum(known[1:])) if len(known) == len(used) else None


def _used(book: RegisterBook, meter: InstalledMeter, period: Period) -> int | None:
    if meter.start > period.start:
        return None
    usage = book.usage(span_of(meter, period))
    return usage.quantity_milli if isinstance(usage, UsageSegment) else None
