"""Cutting a period into segments on which nothing changes: one party, one assignment, one revision, one tier year.

Segments of one charge item and premises tile the days on which the item applies. A day without a payer or a price
becomes an exception and never a segment of zero. Pure; no database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from cloud.estate.values import PayerSpan, Premises
from cloud.rating.lines import ExceptionKind, RatingException
from cloud.rating.scope import PlacedMeter, Scope
from cloud.tariffs.assignment import Effect, Target
from cloud.tariffs.book import PriceBook
from cloud.tariffs.charge import ChargeBasis, ChargeItem
from cloud.tariffs.targets import meter_target, targets_of
from common.civil import Period
from common.ids import MeterId, PartyId, PremisesId, TariffId
from common.rating.request import SplitCause
from common.tariff.revision import NoRevisionError, RevisionRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Days of one charge item at some premises that one party owes, at one price; `part` of `parts` of the period.

    `cause` says why the period is cut at the beginning of this part (of the first: at its end). `cuts` are the days at
    which the days of one party and tariff around this part begin, are cut, and end.
    `meter_id` is set where one meter is priced on its own, apart from the others of the place.
    """

    item: ChargeItem
    premises_id: PremisesId
    party_id: PartyId
    service: Period
    tariff_id: TariffId
    revision: RevisionRef
    part: int = 1
    parts: int = 1
    cause: SplitCause | None = None
    cuts: tuple[date, ...] = ()
    meter_id: MeterId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedDays:
    """Days on which one tariff is assigned."""

    days: Period
    tariff_id: TariffId


def assigned_days(
    prices: PriceBook, item: ChargeItem, targets: tuple[Target, ...], period: Period
) -> tuple[PricedDays, ...]:
    """Return the days of a period on which a charge item is charged at a place, by tariff; exempt days are left out."""
    changes = prices.assignments.changes(item.charge_item_id, targets)
    cuts = sorted({period.start, period.end} | {day for day in changes if day in period})
    found: list[PricedDays] = []
    for start, end in pairwise(cuts):
        assigned = prices.assignments.assigned(item.charge_item_id, targets, start)
        if assigned is None or assigned.effect is not Effect.CHARGE or assigned.tariff_id is None:
            continue
        joins = bool(found) and found[-1].tariff_id == assigned.tariff_id and found[-1].days.end == start
        first = found.pop().days.start if joins else start
        found.append(PricedDays(days=Period(first, end), tariff_id=assigned.tariff_id))
    return tuple(found)


def revision_parts(prices: PriceBook, tariff_id: TariffId, days: Period) -> list[tuple[Period, RevisionRef]]:
    """Return days cut where the revision or the tier year changes.

    Raises:
        NoRevisionError: on one of the days no price holds.
    """
    parts: list[tuple[Period, RevisionRef]] = []
    for part, ref in prices.parts(tariff_id, days):
        accumulation = prices.compiled[ref.body_sha].document.accumulation
        start = part.start
        while (span := accumulation.span_of(start)) is not None and span.end < part.end:
            parts.append((Period(start, span.end), ref))
            start = span.end
        parts.append((Period(start, part.end), ref))
    return parts


def segments_of(scope: Scope, item: ChargeItem, premises: Premises) -> Iterator[Segment | RatingException]:
    """Yield the segments of a charge item at some premises, and an exception for days without payer or price."""
    if item.basis is not ChargeBasis.METERED:
        yield from _segments(scope, item, premises, None)
        return
    apart = priced_apart(scope, item, premises.id)
    for meter_id in apart:
        yield from _segments(scope, item, premises, meter_id)
    meters = [meter for meter in scope.meters.get(premises.id, ()) if meter.resource is item.resource]
    if not apart or any(meter.meter_id not in apart for meter in meters):
        yield from _segments(scope, item, premises, None)


def priced_apart(scope: Scope, item: ChargeItem, premises_id: PremisesId) -> tuple[MeterId, ...]:
    """Return the meters of a place that have an assignment of their own for a charge item."""
    meters = {meter.meter_id for meter in scope.meters.get(premises_id, ()) if meter.resource is item.resource}
    changes = scope.prices.assignments.changes
    return tuple(sorted(one for one in meters if changes(item.charge_item_id, [meter_target(one)])))


def _segments(
    scope: Scope, item: ChargeItem, premises: Premises, meter_id: MeterId | None
) -> Iterator[Segment | RatingException]:
    payers = scope.payers.get(premises.id, ())
    targets = targets_of(premises) if meter_id is None else (*targets_of(premises), meter_target(meter_id))
    for priced in assigned_days(scope.prices, item, targets, scope.period):
        if _owed_days(payers, priced.days) < priced.days.days:
            yield no_payer(item, premises, priced.days)
        try:
            parts = revision_parts(scope.prices, priced.tariff_id, priced.days)
        except NoRevisionError as error:
            yield no_price(item, premises.id, priced.days, error)
            continue
        pieces = [
            _Piece(days=days, revision=ref, party_id=payer.party_id)
            for part, ref in parts
            for payer in payers
            if (days := payer.period.overlap(part)) is not None
        ]
        for number, piece in enumerate(pieces):
            yield Segment(
                item=item,
                premises_id=premises.id,
                party_id=piece.party_id,
                service=piece.days,
                tariff_id=priced.tariff_id,
                revision=piece.revision,
                part=number + 1,
                parts=len(pieces),
                cause=_cause(pieces, number),
                cuts=_cuts(pieces, piece),
                meter_id=meter_id,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """Days that one party owes at one revision."""

    days: Period
    revision: RevisionRef
    party_id: PartyId


def _cause(pieces: Sequence[_Piece], number: int) -> SplitCause | None:
    """Return why the pieces are cut before a piece, of the first why they are cut after it; None when there is one."""
    if len(pieces) == 1:
        return None
    before, after = pieces[max(number - 1, 0)], pieces[max(number, 1)]
    if before.party_id != after.party_id:
        return SplitCause.PAYER
    return SplitCause.PRICE if before.revision != after.revision else SplitCause.TIER_YEAR


def _cuts(pieces: Sequence[_Piece], piece: _Piece) -> tuple[date, ...]:
    """Return where the days that one party owes without a break begin, are cut, and end."""
    theirs = [one.days for one in pieces if one.party_id == piece.party_id]
    chain = [piece.days.start, piece.days.end]
    for days in reversed(theirs):
        if days.end == chain[0]:
            chain.insert(0, days.start)
    for days in theirs:
        if days.start == chain[-1]:
            chain.append(days.end)
    return tuple(chain)


def payer_on(payers: Iterable[PayerSpan], day: date) -> PartyId | None:
    """Return the party in force on a day, or None."""
    return next((payer.party_id for payer in payers if day in payer.period), None)


def meters_in(meters: Iterable[PlacedMeter], days: Period) -> tuple[tuple[PlacedMeter, Period], ...] | None:
    """Return meters with the days of a segment on which each counted, or None when days in it have no meter.

    Days before the very first meter of a place was installed are no hole: nothing could be used there yet.
    """
    placed = sorted(meters, key=lambda meter: (meter.start, meter.meter_id))
    if not placed:
        return None
    covered = max(days.start, min(placed[0].start, days.end))
    found: list[tuple[PlacedMeter, Period]] = []
    for meter in placed:
        part = meter.within(days)
        if part is None:
            continue
        if part.start > covered:
            return None
        found.append((meter, part))
        covered = max(covered, part.end)
    return tuple(found) if covered >= days.end else None


def no_payer(item: ChargeItem, premises: Premises, days: Period) -> RatingException:
    """Return the exception of days on which nobody owes."""
    return RatingException(
        premises_id=premises.id,
        charge_item_id=item.charge_item_id,
        kind=ExceptionKind.NO_PAYER,
        detail_zh=f"{premises.label} 在 {days} 内有日期没有缴费人，{item.name_zh}无法出账。请登记业主或缴费人。",
        detail_en=f"{premises.label} has days in {days} on which nobody owes {item.name_en}. Register who pays.",
    )


def no_price(item: ChargeItem, premises_id: PremisesId | None, days: Period, error: NoRevisionError) -> RatingException:
    """Return the exception of days without a price."""
    return RatingException(
        premises_id=premises_id,
        charge_item_id=item.charge_item_id,
        kind=ExceptionKind.NO_PRICE,
        detail_zh=f"{item.name_zh}在 {days} 内有日期没有有效价格。请录入价格版本。",
        detail_en=f"{item.name_en}: {error}.",
    )


def _owed_days(payers: Iterable[PayerSpan], days: Period) -> int:
    overlaps = (payer.period.overlap(days) for payer in payers)
    return sum(overlap.days for overlap in overlaps if overlap is not None)
