"""What a bill run by columns knows of a community before it looks at households: prices by class, and shared pools.

A class is a kind of premises in a building: all its premises have the same assignments unless one names them alone.
A charge item is plain for a class when one tariff revision holds for the whole period and is nothing but tables. What
is not plain is not decided here at all: those premises are rated by value. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from enum import Enum
from fractions import Fraction
from uuid import UUID

import numpy as np

from cloud.estate.in_columns import Households
from cloud.estate.kinds import PremisesKind
from cloud.kit.images import ID, Ids
from cloud.rating.column_lines import Rows, SharedPool
from cloud.rating.columns import Column, ColumnTariff, takes
from cloud.rating.lines import RatingInput
from cloud.rating.segments import assigned_days, revision_parts
from cloud.tariffs.assignment import Target, TargetKind
from cloud.tariffs.book import KnownCalendar, PriceBook
from cloud.tariffs.charge import ChargeBasis, ChargeItem
from common.civil import Period
from common.ids import BuildingId, ChargeItemId, CommunityId, TariffId
from common.rating.proration import month_shares
from common.rating.refusal import RatingRefusedError
from common.tariff.compile import CompiledTariff
from common.tariff.revision import NoRevisionError, RevisionRef

BY_SEGMENT = (ChargeBasis.AREA, ChargeBasis.FLAT, ChargeBasis.METERED)
Place = tuple[PremisesKind, BuildingId | None]


class NotPlain(Enum):
    """That a class of premises is rated by value."""

    BY_VALUE = "by_value"


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """The one revision that prices a charge item for the whole period."""

    tariff_id: TariffId
    revision: RevisionRef
    compiled: CompiledTariff


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSplit:
    """A pool split over the premises that share it, in the order of their ids."""

    priced: Priced
    pool: SharedPool
    premises: Ids
    part_fen: Column
    weight: Column
    estimated: bool
    source: RatingInput


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnPlan:
    """A community and period as known at an instant, with its pools by charge item, those that are plain.

    `homes` holds all its premises where the pools made them be read.
    """

    community_id: CommunityId
    zone: tzinfo
    zone_name: str
    period: Period
    known_at: datetime
    prices: PriceBook
    calendar: KnownCalendar | None
    pools: Mapping[ChargeItemId, tuple[PoolSplit, ...]] = field(default_factory=dict)
    homes: Households | None = None

    def priced(self, item: ChargeItem, place: Place) -> Priced | NotPlain | None:
        """Return the price of a charge item for a class of premises, None where it does not apply."""
        days = assigned_days(self.prices, item, targets_of_class(place), self.period)
        if not days:
            return None
        if len(days) > 1 or days[0].days != self.period:
            return NotPlain.BY_VALUE
        try:
            parts = revision_parts(self.prices, days[0].tariff_id, self.period)
        except NoRevisionError:
            return NotPlain.BY_VALUE
        if len(parts) != 1:
            return NotPlain.BY_VALUE
        ref = parts[0][1]
        return Priced(tariff_id=days[0].tariff_id, revision=ref, compiled=self.prices.compiled[ref.body_sha])

    def column_tariff(self, priced: Priced) -> ColumnTariff | None:
        """Return a price as tables over columns, or None when it is more than that."""
        plan = priced.compiled.plans[0]
        if not plan.plan.condition.always or not takes(priced.compiled, plan):
            return None
        try:
            months = sum(month_shares(self.period, priced.compiled.document.proration), Fraction(0))
        except RatingRefusedError:
            return None
        return ColumnTariff(priced.compiled, plan, months)

    def tier_year_start(self, priced: Priced) -> date | None:
        """Return the day before the period on which the running total of a price began, or None."""
        span = priced.compiled.document.accumulation.span_of(self.period.start)
        return span.start if span is not None and span.start < self.period.start else None

    @property
    def reach(self) -> Period:
        """Return the days whose meters and readings may matter."""
        spans = (one.document.accumulation.span_of(self.period.start) for one in self.prices.compiled.values())
        starts = [span.start for span in spans if span is not None]
        return Period(min([self.period.start, *starts]), self.period.end)


def targets_of_class(place: Place) -> tuple[Target, ...]:
    """Return the targets that hold every premises of a class."""
    kind, building = place
    targets = [Target(kind=TargetKind.COMMUNITY), Target(kind=TargetKind.PREMISES_KIND, key=kind)]
    if building is not None:
        targets.append(Target(kind=TargetKind.BUILDING, key=str(building)))
    return tuple(targets)


def places_of(homes: Households) -> dict[Place, Rows]:
    """Return the positions of households by their class."""
    places: dict[Place, list[int]] = {}
    known: dict[bytes, BuildingId | None] = {}
    for row, (kind, raw) in enumerate(zip(homes.kinds, homes.buildings.tolist(), strict=True)):
        if raw not in known:
            known[raw] = None if raw == b"" else BuildingId(UUID(bytes=raw.ljust(ID.itemsize, b"\0")))
        places.setdefault((kind, known[raw]), []).append(row)
    return {place: np.array(rows, dtype=np.intp) for place, rows in places.items()}
