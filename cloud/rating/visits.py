"""Session charges: one line for each finished session, owed by the party in force on the day it ended.

Where a cap, a day priced together or a re-entry holds across visits, the earlier visits of the vehicle to the place are
priced with the session, and what they cost on lines of their own is taken off: line by line they cost what all of
them cost together. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from cloud.estate.values import Premises
from cloud.metering.sessions import SessionKind, UsageSession
from cloud.rating.drafts import Draft, calendar_for, priced, refused
from cloud.rating.lines import RatingException
from cloud.rating.scope import Desk, Scope
from cloud.rating.segments import Segment, no_payer, no_price, payer_on
from cloud.tariffs.assignment import Effect
from cloud.tariffs.charge import ChargeItem
from cloud.tariffs.targets import lot_target, targets_of
from common.civil import Period, civil_day
from common.ids import PremisesId
from common.rating.charge import IDLE_FACT, SAMPLES_FACT, Charge, request_of, unpack_samples
from common.rating.refusal import RatingRefusedError
from common.rating.request import RatingRequest, Session, Visit
from common.rating.stay import connected_visits
from common.tariff.revision import NoRevisionError
from common.tariff.session_model import SessionRule

_ONE_DAY = timedelta(days=1)
GRANTED_FACT = "granted_minutes"


def rate_sessions(
    desk: Desk, item: ChargeItem, premises: Mapping[PremisesId, Premises]
) -> Iterator[Draft | RatingException]:
    """Yield a line for each session of the period that a charge item charges."""
    known = _by_vehicle(desk.scope)
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
            yield _line(desk, segment, session, known[session.place, session.permit_id])


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


def _by_vehicle(scope: Scope) -> Mapping[tuple[str, UUID | None], Sequence[UsageSession]]:
    """Return the known sessions of each vehicle at each place."""
    sessions: dict[tuple[str, UUID | None], list[UsageSession]] = defaultdict(list)
    for one in (*scope.earlier_sessions, *scope.sessions):
        sessions[one.place, one.permit_id].append(one)
    return sessions


def _line(
    desk: Desk, segment: Segment, session: UsageSession, known: Sequence[UsageSession]
) -> Draft | RatingException:
    scope = desk.scope
    if session.kind is SessionKind.CHARGING:
        return _charged(scope, segment, session)
    facts = {key: value for key, value in session.facts.items() if isinstance(value, int)}
    granted_minutes = facts.pop(GRANTED_FACT, 0)
    traits = {key: value for key, value in session.facts.items() if isinstance(value, str)}
    earlier = _earlier_visits(scope, segment, session, known)
    request = RatingRequest(
        period=segment.service,
        facts=facts,
        traits=traits,
        session=Session(
            visits=(*earlier, _visit(session)),
            zone=scope.zone,
            zone_name=scope.zone_name,
            granted_minutes=granted_minutes,
            charged=len(earlier),
        ),
        calendar=calendar_for(scope, segment),
    )
    line = priced(scope, segment, request, session.session_id)
    if isinstance(line, RatingException):
        return line
    return Draft(segment=segment, request=request, line=line, session_id=session.session_id)


def _charged(scope: Scope, segment: Segment, session: UsageSession) -> Draft | RatingException:
    """Return the line of a charge at a pile, from its registers."""
    tariff = scope.prices.compiled[segment.revision.body_sha]
    charge = Charge(
        samples=unpack_samples(str(session.facts[SAMPLES_FACT])), idle_minutes=int(session.facts.get(IDLE_FACT, 0))
    )
    try:
        request = request_of(tariff, charge, scope.zone, calendar_for(scope, segment))
    except RatingRefusedError as refusal:
        return refused(segment, refusal, session.session_id)
    line = priced(scope, segment, request, session.session_id)
    if isinstance(line, RatingException):
        return line
    return Draft(
        segment=segment,
        request=request,
        line=line,
        quantity_milli=charge.energy_wh,
        session_id=session.session_id,
    )


def _earlier_visits(
    scope: Scope, segment: Segment, session: UsageSession, known: Sequence[UsageSession]
) -> tuple[Visit, ...]:
    """Return the visits of the vehicle before a session that its price depends on."""
    if session.permit_id is None:
        return ()
    plans = scope.prices.compiled[segment.revision.body_sha].document.plans
    rules = [plan.rule for plan in plans if isinstance(plan.rule, SessionRule)]
    place = (session.started_at, session.session_id)
    before = [_visit(one) for one in known if (one.started_at, one.session_id) < place]
    chains = [connected_visits(rule, before, session.started_at, scope.zone) for rule in rules]
    return max(chains, key=len, default=())


def _visit(session: UsageSession) -> Visit:
    return Visit(entry=session.started_at, exit=session.ended_at)
