"""Standing charges: what is due for being there, by area or flat, for the days of each segment. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from cloud.rating.drafts import Draft, calendar_for, placed, priced
from cloud.rating.lines import RatingException
from cloud.rating.scope import Desk
from cloud.rating.segments import Segment
from cloud.tariffs.charge import ChargeBasis
from common.rating.request import RatingRequest


def rate_standing(desk: Desk, segment: Segment) -> Iterator[Draft | RatingException]:
    """Yield the line of a segment whose charge item needs no meter."""
    facts = desk.facts_on(segment.service.start, segment.premises_id)
    request = placed(
        desk.scope,
        segment,
        RatingRequest(period=segment.service, facts=facts, calendar=calendar_for(desk.scope, segment)),
    )
    line = priced(desk.scope, segment, request)
    if isinstance(line, RatingException):
        yield line
        return
    area = facts.get("area_milli") if segment.item.basis is ChargeBasis.AREA else None
    yield Draft(segment=segment, request=request, line=line, quantity_milli=area)
