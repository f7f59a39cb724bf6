"""A line on its way to a rated item: priced, not yet tied to the input that replays it.

The one place where the rating engine is called and where its refusals become exceptions. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from cloud.metering.usage import RegisterRef
from cloud.rating.lines import ExceptionKind, RatingException
from cloud.rating.scope import Scope
from cloud.rating.segments import Segment
from cloud.tariffs.charge import ChargeBasis
from common.ids import MeterId
from common.rating.engine import rate
from common.rating.line import RatedLine
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.rating.request import RatingRequest, Split, SplitUsage
from common.tariff.daytype import OfficialCalendar

_KINDS = {
    RefusalKind.NO_USAGE: ExceptionKind.NO_READING,
    RefusalKind.NEGATIVE_USAGE: ExceptionKind.BACKWARDS,
    RefusalKind.NO_PRICE: ExceptionKind.NO_PRICE,
    RefusalKind.NO_PLAN: ExceptionKind.NO_PRICE,
}
_AREA_FACT = "area_milli"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A priced segment with what it was priced from."""

    segment: Segment
    request: RatingRequest
    line: RatedLine
    quantity_milli: int | None = None
    meter_id: MeterId | None = None
    from_register: RegisterRef | None = None
    to_register: RegisterRef | None = None
    session_id: UUID | None = None
    pool_id: UUID | None = None
    pool_sha: str = ""
    estimated: bool = False


def placed(scope: Scope, segment: Segment, request: RatingRequest, usage: SplitUsage | None = None) -> RatingRequest:
    """Return a request with its place in the bill, where the segment is one part of several."""
    if segment.parts == 1:
        return request
    split = None if segment.cause is None else Split(cause=segment.cause, usage=usage)
    return replace(request, bill=scope.period, part=segment.part, parts=segment.parts, split=split)


def calendar_for(scope: Scope, segment: Segment) -> OfficialCalendar | None:
    """Return the official calendar for a tariff that asks what kind of day it is, None for all others."""
    document = scope.prices.compiled[segment.revision.body_sha].document
    asks = segment.item.basis is ChargeBasis.PARKING or bool(document.windows)
    return scope.calendar.calendar if asks and scope.calendar is not None else None


def priced(
    scope: Scope, segment: Segment, request: RatingRequest, object_id: UUID | None = None
) -> RatedLine | RatingException:
    """Return the line of a request at the segment's revision, or the exception that says why there is none."""
    try:
        return rate(scope.prices.compiled[segment.revision.body_sha], request)
    except RatingRefusedError as refusal:
        return refused(segment, refusal, object_id)


def refused(segment: Segment, refusal: RatingRefusedError, object_id: UUID | None) -> RatingException:
    """Return the exception of a refusal."""
    kind = _KINDS.get(refusal.kind, ExceptionKind.REFUSED)
    if refusal.kind is RefusalKind.NO_FACT and refusal.detail.startswith(_AREA_FACT):
        kind = ExceptionKind.NO_AREA
    return RatingException(
        premises_id=segment.premises_id,
        charge_item_id=segment.item.charge_item_id,
        kind=kind,
        detail_zh=f"{segment.item.name_zh} {segment.service}：{refusal.detail_zh}",
        detail_en=f"{segment.item.name_en} {segment.service}: {refusal.detail_en}",
        object_id=object_id,
    )
