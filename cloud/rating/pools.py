"""Common costs: what a public meter counted is priced once, then split over the premises that share it.

All premises of the pool take part, whoever is asked about: a premises whose weight is not known stops the split and is
named, because leaving it out would make the others pay for it. The parts sum to the pool; the part of premises that
changed hands is split by days between the parties. Pure; no database.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from uuid import UUID

from cloud.estate.values import Premises
from cloud.metering.usage import MissingUsage, RegisterRef, SegmentKind, UsageSegment
from cloud.rating.counted import Counted, CountedDays, counted, counted_total
from cloud.rating.drafts import Draft, calendar_for, placed, priced, refused
from cloud.rating.inputs import make_input
from cloud.rating.lines import Apportionment, ExceptionKind, RatingException, RatingInput
from cloud.rating.metered import missing
from cloud.rating.scope import Desk, PlacedMeter, Scope
from cloud.rating.segments import Segment, meters_in, no_payer, no_price, revision_parts
from cloud.tariffs.assignment import Effect
from cloud.tariffs.charge import ChargeItem
from cloud.tariffs.pool import PoolMethod, PoolRevision
from cloud.tariffs.targets import targets_of
from common.civil import Period
from common.errors import RefusalError
from common.ids import PartyId, PremisesId, TariffId
from common.money.split import split_by_weight
from common.rating.line import RatedLine
from common.rating.refusal import RatingRefusedError
from common.rating.request import RatingRequest, Share, SplitCause
from common.rating.share import UnweighedError, split_pool, weigh
from common.tariff.revision import NoRevisionError, RevisionRef

TWO_ENDS = 2
_NOBODY = PartyId(UUID(int=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPart:
    """Days of a pool at one price, with the premises that share it and the meters that measure it.

    `cuts` are the days at which the days of one tariff around this part begin, change their price, and end.
    """

    item: ChargeItem
    pool: PoolRevision
    days: Period
    tariff_id: TariffId
    revision: RevisionRef
    sharers: tuple[Premises, ...]
    master: CountedDays
    subs: tuple[CountedDays, ...]
    cuts: tuple[date, ...]

    @property
    def segment(self) -> Segment:
        """Return the pool as a segment that nobody owes yet, for the engine and for exceptions."""
        return Segment(
            item=self.item,
            premises_id=PremisesId(self.pool.pool_id),
            party_id=_NOBODY,
            service=self.days,
            tariff_id=self.tariff_id,
            revision=self.revision,
            part=self.cuts.index(self.days.start) + 1,
            parts=len(self.cuts) - 1,
            cause=SplitCause.PRICE if len(self.cuts) > TWO_ENDS else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolOutcome:
    """What became of one part of a pool: the lines of all who share it, how it was split, and what is missing."""

    drafts: tuple[Draft, ...] = ()
    exceptions: tuple[RatingException, ...] = ()
    split: Apportionment | None = None
    source: RatingInput | None = None


def pool_parts(scope: Scope, item: ChargeItem) -> Iterator[PoolPart | RatingException]:
    """Yield the parts of every pool of a charge item, cut where anything about it changes."""
    for start, end in pairwise(_cuts(scope, item)):
        for pool in scope.prices.pools_on(start):
            if pool.charge_item_id == item.charge_item_id:
                yield from _parts(scope, item, pool, Period(start, end))


def wanted_days(part: PoolPart) -> Iterator[CountedDays]:
    """Yield every stretch whose usage a part will ask for."""
    yield part.master
    yield from part.subs


def rate_pool(desk: Desk, part: PoolPart, premises: Collection[PremisesId] | None = None) -> PoolOutcome:
    """Return the lines of all who share a part of a pool, or only of some premises, or why it cannot be split."""
    found = _usage(desk, part)
    if isinstance(found, RatingException):
        return PoolOutcome(exceptions=(found,))
    usage = found.usage
    request = placed(
        desk.scope,
        part.segment,
        RatingRequest(
            period=part.days, quantity_milli=usage.quantity_milli, calendar=calendar_for(desk.scope, part.segment)
        ),
        found.by,
    )
    line = priced(desk.scope, part.segment, request, part.master.meter.meter_id)
    if isinstance(line, RatingException):
        return PoolOutcome(exceptions=(replace(line, premises_id=None),))
    try:
        weights = weigh(desk.scope.prices.compiled[part.revision.body_sha], _requests(desk, part))
        shares = split_pool(line.amount_fen, weights)
    except UnweighedError as error:
        return PoolOutcome(exceptions=tuple(_unweighed(part, error)))
    except RatingRefusedError as refusal:
        blamed = refused(part.segment, refusal, part.pool.pool_id)
        return PoolOutcome(exceptions=(replace(blamed, premises_id=None),))
    except RefusalError as error:
        return PoolOutcome(exceptions=(_pool_exception(part, ExceptionKind.NO_SHARE, "无法分摊", str(error)),))
    source = pool_source(part, request, line, {key: str(weight) for key, weight in weights.items()})
    asked = shares if premises is None else {key: shares[key] for key in map(str, premises) if key in shares}
    drafts, exceptions = _shared(desk, part, found, asked, source)
    split = Apportionment(pool_id=part.pool.pool_id, period=part.days, total_fen=line.amount_fen, input_sha=source.sha)
    return PoolOutcome(drafts=drafts, exceptions=exceptions, split=split, source=source)


def _cuts(scope: Scope, item: ChargeItem) -> list[date]:
    changes = {pool.effective_from for pool in scope.prices.pools if pool.charge_item_id == item.charge_item_id}
    for premises in scope.premises:
        changes |= scope.prices.assignments.changes(item.charge_item_id, targets_of(premises))
    return sorted({scope.period.start, scope.period.end} | {day for day in changes if day in scope.period})


def _parts(scope: Scope, item: ChargeItem, pool: PoolRevision, days: Period) -> Iterator[PoolPart | RatingException]:
    sharers, tariffs = _sharers(scope, item, pool, days.start)
    if not sharers:
        return
    meter = next((one for one in scope.public_meters if one.meter_id == pool.meter_id), None)
    if meter is None or meters_in([meter], days) is None:
        yield _no_meter(item, pool, days)
        return
    if len(tariffs) > 1:
        yield _mixed_prices(item, pool, days)
        return
    (tariff_id,) = tariffs
    try:
        parts = revision_parts(scope.prices, tariff_id, days)
    except NoRevisionError as error:
        yield no_price(item, None, days, error)
        return
    cuts = (days.start, *(part.end for part, _ in parts))
    for part, ref in parts:
        master = CountedDays(meter=meter, days=meter.within(part) or part)
        yield PoolPart(
            item=item,
            pool=pool,
            days=part,
            tariff_id=tariff_id,
            revision=ref,
            sharers=sharers,
            master=master,
            subs=_subs(scope, pool, meter, part),
            cuts=cuts,
        )


def _sharers(
    scope: Scope, item: ChargeItem, pool: PoolRevision, day: date
) -> tuple[tuple[Premises, ...], frozenset[TariffId]]:
    sharers: list[Premises] = []
    tariffs: set[TariffId] = set()
    for premises in scope.premises:
        if pool.building_id is not None and premises.building_id != pool.building_id:
            continue
        assigned = scope.prices.assignments.assigned(item.charge_item_id, targets_of(premises), day)
        if assigned is not None and assigned.effect is Effect.CHARGE and assigned.tariff_id is not None:
            sharers.append(premises)
            tariffs.add(assigned.tariff_id)
    return tuple(sharers), frozenset(tariffs)


def _subs(scope: Scope, pool: PoolRevision, master: PlacedMeter, days: Period) -> tuple[CountedDays, ...]:
    if pool.method is not PoolMethod.MASTER_LESS_SUBS:
        return ()
    meters = (*scope.public_meters, *(meter for placed in scope.meters.values() for meter in placed))
    parts = ((meter, meter.within(days)) for meter in meters if meter.parent_meter_id == master.meter_id)
    return tuple(CountedDays(meter=meter, days=part) for meter, part in parts if part is not None)


def _usage(desk: Desk, part: PoolPart) -> Counted | RatingException:
    master = counted(desk, part.master, part.cuts)
    subs = counted_total(desk, part.subs, part.cuts)
    for known in (master, subs):
        if isinstance(known, MissingUsage):
            return replace(missing(part.segment, known), premises_id=None)
    if not isinstance(master, Counted) or not isinstance(subs, int) or subs > master.usage.quantity_milli:
        return _pool_exception(
            part, ExceptionKind.BACKWARDS, "分表之和大于总表", "the sub-meters counted more than their master"
        )
    return replace(master, usage=replace(master.usage, quantity_milli=master.usage.quantity_milli - subs))


def _requests(desk: Desk, part: PoolPart) -> dict[str, RatingRequest]:
    return {
        str(premises.id): RatingRequest(period=part.days, facts=desk.facts_on(part.days.start, premises.id))
        for premises in part.sharers
    }


def pool_source(part: PoolPart, request: RatingRequest, line: RatedLine, weights: Mapping[str, str]) -> RatingInput:
    """Return the input that says what a pool cost and who weighed how much, each weight as the text of a fraction."""
    return make_input(
        {
            "pool": str(part.pool.pool_id),
            "charge": part.item.code,
            "tariff": part.revision.body_sha,
            "request": request.to_plain(),
            "line": line.input_sha,
            "fen": line.amount_fen,
            "weights": [[key, weight] for key, weight in sorted(weights.items())],
        }
    )


def _shared(
    desk: Desk, part: PoolPart, found: Counted, shares: Mapping[str, Share], source: RatingInput
) -> tuple[tuple[Draft, ...], tuple[RatingException, ...]]:
    drafts: list[Draft] = []
    exceptions: list[RatingException] = []
    for premises in part.sharers:
        share = shares.get(str(premises.id))
        if share is None:
            continue
        for piece in _pieces(desk.scope, part, premises, share):
            if isinstance(piece, RatingException):
                exceptions.append(piece)
                continue
            segment, own = piece
            request = placed(desk.scope, part.segment, RatingRequest(period=segment.service, share=own), found.by)
            line = priced(desk.scope, segment, request, part.pool.pool_id)
            if isinstance(line, RatingException):
                exceptions.append(line)
                continue
            drafts.append(_draft(part, segment, request, line, found.usage, source))
    return tuple(drafts), tuple(exceptions)


def _draft(
    part: PoolPart,
    segment: Segment,
    request: RatingRequest,
    line: RatedLine,
    usage: UsageSegment,
    source: RatingInput,
) -> Draft:
    registers: tuple[RegisterRef, RegisterRef] = (usage.from_register, usage.to_register)
    return Draft(
        segment=segment,
        request=request,
        line=line,
        meter_id=part.master.meter.meter_id,
        from_register=registers[0],
        to_register=registers[1],
        pool_id=part.pool.pool_id,
        pool_sha=source.sha,
        estimated=usage.kind is SegmentKind.ESTIMATED,
    )


def _pieces(
    scope: Scope, part: PoolPart, premises: Premises, share: Share
) -> Iterator[tuple[Segment, Share] | RatingException]:
    """Yield the share of some premises by party; days that nobody owes keep their part as an open exception."""
    owed = [
        (days, payer.party_id)
        for payer in scope.payers.get(premises.id, ())
        if (days := payer.period.overlap(part.days)) is not None
    ]
    nobody = part.days.days - sum(days.days for days, _ in owed)
    if nobody:
        yield no_payer(part.item, premises, part.days)
    weights = {days.start.isoformat(): days.days for days, _ in owed}
    pieces = split_by_weight(share.part_fen, weights | ({"nobody": nobody} if nobody else {}))
    for days, party_id in owed:
        segment = Segment(
            item=part.item,
            premises_id=premises.id,
            party_id=party_id,
            service=days,
            tariff_id=part.tariff_id,
            revision=part.revision,
        )
        yield segment, replace(share, part_fen=pieces[days.start.isoformat()])


def _unweighed(part: PoolPart, error: UnweighedError) -> Iterable[RatingException]:
    by_id = {str(premises.id): premises for premises in part.sharers}
    for key, reason in sorted(error.reasons.items()):
        yield RatingException(
            premises_id=by_id[key].id,
            charge_item_id=part.item.charge_item_id,
            kind=ExceptionKind.NO_SHARE,
            detail_zh=f"{part.item.name_zh} {part.days}：{by_id[key].label} 的分摊依据未知，整个分摊暂停。"
            f"{reason.detail_zh}",
            detail_en=f"{part.item.name_en} {part.days}: the weight of {by_id[key].label} is not known, so the whole "
            f"pool waits. {reason.detail_en}",
            object_id=part.pool.pool_id,
        )


def _pool_exception(part: PoolPart, kind: ExceptionKind, reason_zh: str, reason_en: str) -> RatingException:
    return RatingException(
        premises_id=None,
        charge_item_id=part.item.charge_item_id,
        kind=kind,
        detail_zh=f"{part.item.name_zh} {part.days}：{reason_zh}。",
        detail_en=f"{part.item.name_en} {part.days}: {reason_en}.",
        object_id=part.pool.pool_id,
    )


def _no_meter(item: ChargeItem, pool: PoolRevision, days: Period) -> RatingException:
    return RatingException(
        premises_id=None,
        charge_item_id=item.charge_item_id,
        kind=ExceptionKind.NO_METER,
        detail_zh=f"{item.name_zh} {days}：公共表未登记或有日期未安装。",
        detail_en=f"{item.name_en} {days}: the public meter is not registered, or not installed on some days.",
        object_id=pool.pool_id,
    )


def _mixed_prices(item: ChargeItem, pool: PoolRevision, days: Period) -> RatingException:
    return RatingException(
        premises_id=None,
        charge_item_id=item.charge_item_id,
        kind=ExceptionKind.NO_SHARE,
        detail_zh=f"{item.name_zh} {days}：分摊各户的价格不一致，无法合并分摊。请统一价格。",
        detail_en=f"{item.name_en} {days}: those who share are priced by different tariffs. Give them one.",
        object_id=pool.pool_id,
    )
