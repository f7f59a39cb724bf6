"""One price: the gateway's estimate of a month against what the cloud makes of the same registers.

The same code priced both, so a difference means other registers, other prices or other facts, and a person looks.
Where a price changed inside the month the gateway may have split by days and the cloud by registers; it may agree with
either. What the cloud cannot price is no difference: the bill run opens the exception for it. Pure; no database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from cloud.cases.case import CaseKind, CaseReport, OwnerRole
from cloud.metering.estimates import Estimate
from cloud.metering.usage import UsageSegment
from cloud.rating.counted import CountedDays, counted_total, prior_days
from cloud.rating.drafts import calendar_for
from cloud.rating.scope import Desk, PlacedMeter, Scope
from cloud.rating.segments import Segment, assigned_days, priced_apart, revision_parts
from cloud.rating.windowed import wanted_rates, window_quantities
from cloud.tariffs.charge import ChargeItem
from cloud.tariffs.targets import meter_target, targets_of
from common.civil import Period
from common.ids import CommunityId, PartyId
from common.money.amount import format_minor
from common.rating.engine import rate_parts
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.rating.request import RatingRequest
from common.tariff.compile import CompiledTariff
from common.tariff.revision import NoRevisionError, split_usage_by_days
from common.tariff.window_use import counts_windows_apart

ESTIMATE_DIFFERS = "estimate_differs"
_NOBODY = PartyId(UUID(int=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """An estimate with the segments and the meter by which the cloud prices the same."""

    estimate: Estimate
    segments: tuple[Segment, ...]
    meter: PlacedMeter

    @property
    def subject(self) -> str:
        """Return what tells the case of this estimate from others of the meter."""
        return f"{self.estimate.charge_code} {self.estimate.period}"


def checkable(scope: Scope, estimate: Estimate) -> Checked | None:
    """Return how the cloud prices an estimate, or None where it charges nothing like it."""
    placed = [(one, place) for place in scope.premises for one in scope.meters.get(place.id, ())]
    found = next(((one, place) for one, place in placed if one.meter_id == estimate.meter_id), None)
    item = next((one for one in scope.prices.items.values() if one.code == estimate.charge_code), None)
    if found is None or item is None or found[0].within(estimate.period) != estimate.period:
        return None
    meter, place = found
    apart = meter.meter_id in priced_apart(scope, item, place.id)
    targets = (*targets_of(place), meter_target(meter.meter_id)) if apart else targets_of(place)
    assigned = assigned_days(scope.prices, item, targets, estimate.period)
    if len(assigned) != 1 or assigned[0].days != estimate.period:
        return None
    try:
        parts = revision_parts(scope.prices, assigned[0].tariff_id, estimate.period)
    except NoRevisionError:
        return None
    segments = tuple(
        Segment(
            item=item,
            premises_id=place.id,
            party_id=_NOBODY,
            service=days,
            tariff_id=assigned[0].tariff_id,
            revision=ref,
            part=number,
            parts=len(parts),
            meter_id=meter.meter_id if apart else None,
        )
        for number, (days, ref) in enumerate(parts, 1)
    )
    return Checked(estimate=estimate, segments=segments, meter=meter)


def wanted_days(scope: Scope, checked: Checked) -> Iterator[CountedDays]:
    """Yield every stretch whose usage the comparison will ask for."""
    yield from prior_days(scope, checked.segments[0])
    for segment in checked.segments:
        part = CountedDays(meter=checked.meter, days=segment.service)
        yield part
        yield from wanted_rates(scope, segment, part)


def difference(desk: Desk, checked: Checked) -> CaseReport | None:
    """Return the report of an estimate that is not what the cloud makes of the same month, or None."""
    prior = counted_total(desk, prior_days(desk.scope, checked.segments[0]))
    usages = [
        desk.registers.usage(CountedDays(meter=checked.meter, days=segment.service).span)
        for segment in checked.segments
    ]
    counted = [usage.quantity_milli for usage in usages if isinstance(usage, UsageSegment)]
    if not isinstance(prior, int) or len(counted) != len(usages):
        return None
    services = [segment.service for segment in checked.segments]
    windows = [_windows(desk, checked, segment, segment.service) for segment in checked.segments]
    by_days = _Pieces(
        usage=split_usage_by_days(sum(counted), services),
        windows=[_windows_by_days(desk, checked, services, number) for number in range(len(services))],
    )
    try:
        figures = [_amount(desk, checked, prior, one) for one in (_Pieces(usage=counted, windows=windows), by_days)]
    except RatingRefusedError:
        return None
    if checked.estimate.amount_fen in figures and checked.estimate.usage_milli == sum(counted):
        return None
    return _report(desk.scope.community_id, checked, figures[0], sum(counted))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pieces:
    """The usage of each part, and its usage by window where rate registers tell it."""

    usage: Sequence[int]
    windows: Sequence[Mapping[str, int]]


def _windows(desk: Desk, checked: Checked, segment: Segment, days: Period) -> dict[str, int]:
    """Return what the rate registers that a segment asks for counted over some days, empty where one is not known."""
    part = CountedDays(meter=checked.meter, days=days)
    tariff = desk.scope.prices.compiled[segment.revision.body_sha]
    usages = {
        name: desk.registers.usage(replace(part, quantity=quantity).span)
        for name, quantity in window_quantities(tariff, segment.service).items()
    }
    known = {name: usage.quantity_milli for name, usage in usages.items() if isinstance(usage, UsageSegment)}
    return known if len(known) == len(usages) else {}


def _windows_by_days(desk: Desk, checked: Checked, services: Sequence[Period], number: int) -> dict[str, int]:
    """Return the part of one segment in what the rate registers counted over all of them, spread by days."""
    whole = _windows(desk, checked, checked.segments[number], checked.estimate.period)
    return {name: split_usage_by_days(total, services)[number] for name, total in whole.items()}


def _amount(desk: Desk, checked: Checked, prior: int, pieces: _Pieces) -> int:
    priced: list[tuple[CompiledTariff, RatingRequest]] = []
    for number, (segment, piece, windows) in enumerate(
        zip(checked.segments, pieces.usage, pieces.windows, strict=True)
    ):
        request = RatingRequest(
            period=segment.service,
            quantity_milli=None if windows else piece,
            windows_milli=windows,
            prior_milli=prior + sum(pieces.usage[:number]),
            prior_windows_milli=_prior_windows(desk, checked, segment, pieces.windows[:number]),
            facts=desk.facts_on(segment.service.start, segment.premises_id),
            bill=checked.estimate.period if len(checked.segments) > 1 else None,
            part=segment.part,
            parts=segment.parts,
            calendar=calendar_for(desk.scope, segment),
        )
        priced.append((desk.scope.prices.compiled[segment.revision.body_sha], request))
    return rate_parts(priced).amount_fen


def _prior_windows(
    desk: Desk, checked: Checked, segment: Segment, before: Sequence[Mapping[str, int]]
) -> dict[str, int]:
    """Return what each window counted since its running total began; empty where tiers do not count them apart.

    Raises:
        RatingRefusedError: a rate register is not known.
    """
    tariff = desk.scope.prices.compiled[segment.revision.body_sha]
    if not counts_windows_apart(tariff.document):
        return {}
    days = prior_days(desk.scope, checked.segments[0])
    totals: dict[str, int] = {}
    for name, quantity in window_quantities(tariff, segment.service).items():
        counted = counted_total(desk, [replace(part, quantity=quantity) for part in days])
        if not isinstance(counted, int):
            raise RatingRefusedError(RefusalKind.NO_USAGE, f"the register of {name} before {segment.service}")
        totals[name] = counted + sum(windows.get(name, 0) for windows in before)
    return totals


def _report(community_id: CommunityId, checked: Checked, cloud_fen: int, cloud_milli: int) -> CaseReport:
    estimate, item = checked.estimate, _item(checked)
    ours, theirs = format_minor(cloud_fen), format_minor(estimate.amount_fen)
    stale = estimate.revision.body_sha != checked.segments[-1].revision.body_sha
    return CaseReport(
        kind=CaseKind.ALARM,
        reason=ESTIMATE_DIFFERS,
        origin="rating",
        object_kind="meter",
        object_id=estimate.meter_id,
        subject=checked.subject,
        community_id=community_id,
        owner_role=OwnerRole.TECHNICIAN,
        detail_zh=f"{item.name_zh} {estimate.period}：网关估算 {theirs} 元，云端计费 {ours} 元"
        f"{'，网关使用了旧价格' if stale else ''}。请核对读数、价格与户况。",
        detail_en=f"{item.name_en} {estimate.period}: the gateway estimated {theirs}, the cloud rates {ours}"
        f"{'; the gateway used an outdated price' if stale else ''}. Compare registers, prices and facts.",
        figures={
            "estimate_fen": estimate.amount_fen,
            "cloud_fen": cloud_fen,
            "estimate_milli": estimate.usage_milli,
            "cloud_milli": cloud_milli,
            "estimate_tariff": estimate.revision.body_sha,
            "cloud_tariff": checked.segments[-1].revision.body_sha,
        },
    )


def _item(checked: Checked) -> ChargeItem:
    return checked.segments[0].item
