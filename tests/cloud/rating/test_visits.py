"""Sessions as lines: one each, and caps that hold across the visits of one vehicle."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from cloud.metering.sessions import SessionKind, UsageSession
from cloud.rating.drafts import Draft
from cloud.rating.lines import ExceptionKind, RatingException
from cloud.rating.visits import rate_sessions
from cloud.tariffs.assignment import Target, TargetKind
from cloud.tariffs.charge import ChargeBasis
from common.civil import Period
from common.rating.explain import explain
from tests.cloud.rating.documents import Document, parking
from tests.cloud.rating.town import (
    COMMUNITY,
    MARCH,
    Town,
    flat,
    item,
    only_drafts,
    only_exceptions,
    party,
)

PARKING = item("parking", ChargeBasis.PARKING)
LOT = Target(kind=TargetKind.LOT, key="north")
TENTH = date(2026, 3, 10)
CAR, OTHER_CAR = UUID(int=0xCA), UUID(int=0xCB)


def parked(number: int, start: datetime, end: datetime, place: int = 1, car: UUID | None = None) -> UsageSession:
    return UsageSession(
        session_id=UUID(int=number),
        community_id=COMMUNITY,
        kind=SessionKind.PARKING,
        place="north",
        premises_id=flat(place),
        started_at=start,
        ended_at=end,
        ended_day=end.astimezone(UTC).date(),
        permit_id=car,
    )


def lot(document: Document | None = None) -> Town:
    built = Town()
    built.live(1, p1=(MARCH.start, TENTH), p2=(TENTH, MARCH.end))
    built.charge(PARKING, built.price(document or parking()), target=LOT)
    return built


def sessions_of(built: Town) -> list[Draft | RatingException]:
    return list(rate_sessions(built.desk(), PARKING, {place.id: place for place in built.premises}))


def test_a_session_is_a_line_of_the_party_in_force_when_it_ended() -> None:
    built = lot()
    built.sessions += [
        parked(1, datetime(2026, 3, 3, 1, tzinfo=UTC), datetime(2026, 3, 3, 3, 10, tzinfo=UTC)),
        parked(2, datetime(2026, 3, 12, 1, tzinfo=UTC), datetime(2026, 3, 12, 2, tzinfo=UTC)),
    ]
    first, second = only_drafts(sessions_of(built))
    assert (first.segment.party_id, first.line.amount_fen, first.session_id) == (party(1), 15_00, UUID(int=1))
    assert (second.segment.party_id, second.line.amount_fen) == (party(2), 5_00)
    assert first.request.period == Period(date(2026, 3, 3), date(2026, 3, 4))


def test_a_session_of_nobody_is_an_exception() -> None:
    built = lot()
    built.payers[flat(1)] = ()
    built.sessions.append(parked(1, datetime(2026, 3, 3, 1, tzinfo=UTC), datetime(2026, 3, 3, 3, tzinfo=UTC)))
    (missing,) = only_exceptions(sessions_of(built))
    assert missing.kind is ExceptionKind.NO_PAYER


def test_a_session_at_a_lot_without_a_charge_is_left_alone() -> None:
    built = lot()
    session = parked(1, datetime(2026, 3, 3, 1, tzinfo=UTC), datetime(2026, 3, 3, 3, tzinfo=UTC))
    built.assignments.clear()
    built.charge(PARKING, built.price(parking()), target=Target(kind=TargetKind.LOT, key="south"))
    built.sessions.append(session)
    assert sessions_of(built) == []


def hours(number: int, day: int, start: int, length: int, car: UUID = CAR) -> UsageSession:
    """Return a stay of whole hours of March, by the clock of Shanghai."""
    entry = datetime(2026, 3, day, start, tzinfo=UTC) - timedelta(hours=8)
    return parked(number, entry, entry + timedelta(hours=length), car=car)


CAPPED = {"blocks": [{"every": 60, "price": "5.00"}]}
ACROSS: dict[str, Document] = {
    "cap per calendar day": {**CAPPED, "cut": "calendar_day", "day_cap": "20.00"},
    "cap per 24 hours from the first entry": {**CAPPED, "cut": "day_from_first_entry", "day_cap": "20.00"},
    "cap on any 24 hours": {**CAPPED, "rolling_cap": "20.00"},
}


@pytest.mark.parametrize("session", ACROSS.values(), ids=ACROSS)
def test_a_cap_holds_across_the_visits_of_one_vehicle(session: Document) -> None:
    built = lot({**parking(), "session": session})
    built.sessions += [hours(1, 3, 8, 3), hours(2, 3, 12, 3), hours(3, 3, 18, 2), hours(4, 20, 8, 3)]
    amounts = [draft.line.amount_fen for draft in only_drafts(sessions_of(built))]
    assert amounts == [15_00, 5_00, 0, 15_00]


def test_the_line_says_what_was_charged_for_earlier_visits() -> None:
    built = lot({**parking(), "session": ACROSS["cap per calendar day"]})
    built.sessions += [hours(1, 3, 8, 3), hours(2, 3, 12, 3)]
    _, second = only_drafts(sessions_of(built))
    assert "此前停放已计费: -15.00 元" in explain(second.line, "zh")
    assert "charged for earlier visits: -15.00 CNY" in explain(second.line, "en")


def test_another_vehicle_of_the_household_has_a_cap_of_its_own() -> None:
    built = lot({**parking(), "session": ACROSS["cap per calendar day"]})
    built.sessions += [hours(1, 3, 8, 3), hours(2, 3, 12, 3, OTHER_CAR)]
    assert [draft.line.amount_fen for draft in only_drafts(sessions_of(built))] == [15_00, 15_00]


def test_a_cap_reaches_back_to_a_visit_of_the_period_before() -> None:
    built = lot({**parking(), "session": ACROSS["cap on any 24 hours"]})
    last_night = datetime(2026, 2, 28, 12, tzinfo=UTC)
    built.earlier_sessions.append(parked(1, last_night, last_night + timedelta(hours=3), car=CAR))
    built.sessions.append(hours(2, 1, 8, 3))
    (draft,) = only_drafts(sessions_of(built))
    assert (draft.line.amount_fen, draft.session_id) == (5_00, UUID(int=2))


def test_back_within_the_minutes_of_re_entry_the_stay_goes_on() -> None:
    first_hour = {"blocks": [{"minutes": 60, "every": 60, "price": "9.00"}, {"every": 60, "price": "1.00"}]}
    built = lot({**parking(), "session": {**first_hour, "rejoin_minutes": 60}})
    built.sessions += [hours(1, 3, 8, 1), hours(2, 3, 10, 1), hours(3, 3, 14, 1)]
    assert [draft.line.amount_fen for draft in only_drafts(sessions_of(built))] == [9_00, 2_00, 9_00]


def test_without_a_rule_across_visits_a_line_knows_its_own_visit_only() -> None:
    built = lot()
    built.sessions += [hours(1, 3, 8, 3), hours(2, 3, 12, 3)]
    for draft in only_drafts(sessions_of(built)):
        assert draft.request.session is not None
        assert (len(draft.request.session.visits), draft.request.session.charged) == (1, 0)
