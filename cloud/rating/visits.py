"""Session charges: one line for each finished session, owed by the party in force on the day it ended. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from cloud.estate.values import Premises
from cloud.metering.sessions import UsageSession
from cloud.rating.drafts import Draft, calendar_for, priced
from cloud.rating.lines import RatingException
from cloud.rating.scope import Desk, Scope
from cloud.rating.segments import Segment, no_payer, no_price, payer_on
from cloud.tariffs.assignment import Effect
from cloud.tariffs.charge import ChargeItem
from cloud.tariffs.targets import lot_target, targets_of
from common.civil import Period, civil_day
from common.ids import PremisesId
from common.rating.request import RatingRequest, Session, Visit
from common.tariff.revision import NoRevisionError

_ONE_DAY = timedelta(days=1)


def rate_sessions(
    desk: Desk, item: ChargeItem, premises: Mapping[PremisesId, Premises]
) -> Iterator[Draft | RatingException]:
    """Yield a line for each session of the period that a charge item charges."""
    for session in desk.scope.sessions:
        place = premises.get(session.premises_id)
        if place is None:
            continue
        segment = _segment(desk.scope, item, session, place)
        if segment is None:
            continue
        if isinstance(segment, RatingException):
            yield segment
        else:
            yield _line(desk, segment, session)


def _segment(
    scope: Scope, item: ChargeItem, session: UsageSession, premises: Premises
) -> Segment | RatingException | None:
    entry_day = civil_day(session.started_at, scope.zone)
    service = Period(entry_day, session.ended_day + _ONE_DAY)
    targets = (*targets_of(premises), lot_target(session.place))
    assigned = scope.prices.assignments.assigned(item.charge_item_id, targets, entry_day)
    if assigned is None or assigned.effect is not Effect.CHARGE or assigned.tariff_id is None:
        return None
    party_id = payer_on(scope.payers.get(premises.id, ()), session.ended_day)
    if party_id is None:
        return no_payer(item, premises, service)
    try:
        revision = scope.prices.revision_on(assigned.tariff_id, entry_day)
    except NoRevisionError as error:
        return no_price(item, premises.id, service, error)
    return Segment(
        item=item,
        premises_id=premises.id,
        party_id=party_id,
        service=service,
        tariff_id=assigned.tariff_id,
        revision=revision,
    )


def _line(desk: Desk, segment: Segment, session: UsageSession) -> Draft | RatingException:
    scope = desk.scope
    facts = {key: value for key, value in session.facts.items() if isinstance(value, int)}
    traits = {key: value for key, value in session.facts.items() if isinstance(value, str)}
    request = RatingRequest(
        period=segment.service,
        facts=facts,
        traits=traits,
        session=Session(
            visits=(Visit(entry=session.started_at, exit=session.ended_at),),
            zone=scope.zone,
            zone_name=scope.zone_name,
        ),
        calendar=calendar_for(scope, segment),
    )
    line = priced(scope, segment, request, session.session_id)
    if isinstance(line, RatingException):
        return line
    return Draft(segment=segment, request=request, line=line, session_id=session.session_id)
