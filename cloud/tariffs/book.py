"""The prices of a community as known at one instant: charge items, assignments, revisions and pools. Pure values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from cloud.tariffs.assignment import AssignmentBook
from cloud.tariffs.charge import ChargeItem
from cloud.tariffs.pool import PoolRevision
from common.civil import Period
from common.ids import ChargeItemId, TariffId
from common.tariff.compile import CompiledTariff
from common.tariff.daytype import OfficialCalendar
from common.tariff.revision import KnownRevision, RevisionRef, choose, split_period


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBook:
    """Everything that decides which price holds where and when."""

    known_at: datetime
    items: Mapping[ChargeItemId, ChargeItem]
    assignments: AssignmentBook
    revisions: Mapping[TariffId, tuple[KnownRevision, ...]]
    compiled: Mapping[str, CompiledTariff]
    pools: tuple[PoolRevision, ...]

    def parts(self, tariff_id: TariffId, period: Period) -> list[tuple[Period, RevisionRef]]:
        """Return the parts of a period with the revision that prices each; they tile the period.

        Raises:
            NoRevisionError: on a day of the period no price holds.
        """
        return split_period(self.revisions.get(tariff_id, ()), period, self.known_at)

    def revision_on(self, tariff_id: TariffId, day: date) -> RevisionRef:
        """Return the revision that prices a day.

        Raises:
            NoRevisionError: no price holds on the day.
        """
        return choose(self.revisions.get(tariff_id, ()), day, self.known_at)

    def pools_on(self, day: date) -> tuple[PoolRevision, ...]:
        """Return the pools that run on a day, in stable order."""
        return pools_in_force(self.pools, day, self.known_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCalendar:
    """The official calendar as known at an instant, and the canonical bytes whose hash names it."""

    calendar: OfficialCalendar
    body: bytes


def pools_in_force(revisions: Iterable[PoolRevision], day: date, known_at: datetime) -> tuple[PoolRevision, ...]:
    """Return the newest known revision of each pool that holds on a day, ended pools left out."""
    newest: dict[UUID, PoolRevision] = {}
    for revision in sorted(revisions, key=lambda one: (one.effective_from, one.rev)):
        if revision.effective_from <= day and revision.recorded_at <= known_at:
            newest[revision.pool_id] = revision
    return tuple(newest[pool_id] for pool_id in sorted(newest) if newest[pool_id].meter_id is not None)
