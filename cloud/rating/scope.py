"""What one rating run looks at: a community, its premises, payers, meters and prices, as known at one instant.

Values only; `service` fills them from the database. A fact that is not known is absent, never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from cloud.estate.values import PayerSpan, Premises
from cloud.metering.registers import BILLED_QUANTITY, RegisterBook
from cloud.metering.sessions import UsageSession
from cloud.tariffs.book import KnownCalendar, PriceBook
from common.civil import Period
from common.ids import CommunityId, MeterId, PremisesId
from common.reading.reading import Quantity, Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedMeter:
    """A meter at a place; `premises_id` is None in a public area, `end` is None while it is installed."""

    meter_id: MeterId
    resource: Resource
    premises_id: PremisesId | None
    multiplier_milli: int
    digits: int
    start: date
    end: date | None
    parent_meter_id: MeterId | None

    @property
    def quantity(self) -> Quantity:
        """Return the register that bills the meter's resource."""
        return BILLED_QUANTITY[self.resource]

    def within(self, period: Period) -> Period | None:
        """Return the days of a period on which the meter was installed, or None."""
        start = max(self.start, period.start)
        end = period.end if self.end is None else min(self.end, period.end)
        return Period(start, end) if start < end else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What stands before any register is read.

    `earlier_sessions` ended before the period; a cap across visits may reach back to them.
    """

    community_id: CommunityId
    zone: tzinfo
    zone_name: str
    period: Period
    known_at: datetime
    prices: PriceBook
    premises: tuple[Premises, ...]
    payers: Mapping[PremisesId, tuple[PayerSpan, ...]]
    meters: Mapping[PremisesId, tuple[PlacedMeter, ...]]
    public_meters: tuple[PlacedMeter, ...]
    sessions: tuple[UsageSession, ...]
    earlier_sessions: tuple[UsageSession, ...]
    calendar: KnownCalendar | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything that lines are rated from: the scope, the registers, and facts of premises by day and id.

    `intervals` holds readings inside the days too, of the meters whose windows no rate register tells apart.
    """

    scope: Scope
    registers: RegisterBook
    intervals: RegisterBook
    facts: Mapping[date, Mapping[PremisesId, Mapping[str, int]]]

    def facts_on(self, day: date, premises_id: PremisesId) -> Mapping[str, int]:
        """Return the facts of premises that hold on a day, keyed as tariffs name them."""
        return self.facts[day].get(premises_id, {})
