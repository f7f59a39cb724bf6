"""Visits of one vehicle: which earlier ones a price depends on; line by line they cost what all cost together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvariantError
from common.rating.engine import EARLIER_KEY, rate
from common.rating.line import ComponentKind, RatedLine
from common.rating.request import RatingRequest, Session, Visit
from common.rating.stay import VISITS_MAX, connected_visits
from common.tariff.compile import CompiledTariff
from common.tariff.session_model import SessionRule
from tests.common.tariff.builders import JUNE, tariff
from tests.common.tariff.library import SHANGHAI

HOURLY = {"blocks": [{"every": 60, "price": "2"}]}
START = datetime(2026, 6, 1, tzinfo=SHANGHAI.zone).astimezone(UTC)
CALENDAR_DAY = {**HOURLY, "cut": "calendar_day", "day_cap": "10"}
ROLLING = {**HOURLY, "rolling_cap": "10"}
FIRST_ENTRY = {**HOURLY, "cut": "day_from_first_entry", "day_cap": "10"}
TOGETHER = {**HOURLY, "cut": "calendar_day", "visits": "together", "free": {"minutes": 60}}
REJOIN = {**HOURLY, "rejoin_minutes": 30}
ACROSS: dict[str, dict[str, Any]] = {
    "calendar day": CALENDAR_DAY,
    "any 24 hours": ROLLING,
    "24 hours from the first entry": FIRST_ENTRY,
    "together": TOGETHER,
    "re-entry": REJOIN,
    "day and re-entry": {**CALENDAR_DAY, "rejoin_minutes": 20},
    "any 24 hours and re-entry": {**ROLLING, "rejoin_minutes": 20},
}


def at(hours: float) -> datetime:
    """Return the instant so many hours after the first of June began."""
    return START + timedelta(minutes=round(60 * hours))


def visit(start: float, end: float) -> Visit:
    return Visit(entry=at(start), exit=at(end))


def rule_of(session: dict[str, Any]) -> SessionRule:
    (plan,) = tariff(session=session).document.plans
    assert isinstance(plan.rule, SessionRule)
    return plan.rule


def priced(compiled: CompiledTariff, visits: tuple[Visit, ...], charged: int = 0, granted: int = 0) -> RatedLine:
    session = Session(
        visits=visits,
        zone=SHANGHAI.zone,
        zone_name=SHANGHAI.zone_name,
        charged=charged,
        granted_minutes=granted,
    )
    return rate(compiled, RatingRequest(period=JUNE, session=session))


@pytest.mark.parametrize(
    ("session", "earlier", "entry", "connected"),
    [
        (HOURLY, [(1, 2)], 3, 0),
        (CALENDAR_DAY, [(1, 2)], 23, 1),
        (CALENDAR_DAY, [(1, 2)], 25, 0),
        (CALENDAR_DAY, [(20, 24)], 25, 0),
        (CALENDAR_DAY, [(20, 24.5)], 25, 1),
        ({**HOURLY, "cut": "calendar_day"}, [(1, 2)], 3, 0),
        ({**HOURLY, "cut": "day_from_entry", "day_cap": "10"}, [(1, 2)], 3, 0),
        (TOGETHER, [(1, 2)], 23, 1),
        (ROLLING, [(1, 2)], 25.9, 1),
        (ROLLING, [(1, 2)], 26, 0),
        (ROLLING, [(1, 2), (20, 21), (40, 41)], 60, 3),
        (ROLLING, [(1, 2), (40, 41)], 60, 1),
        (FIRST_ENTRY, [(1, 2)], 25.9, 1),
        (FIRST_ENTRY, [(1, 2)], 26, 0),
        (REJOIN, [(1, 2)], 2.5, 1),
        (REJOIN, [(1, 2)], 2.6, 0),
    ],
)
def test_a_price_depends_on_earlier_visits_as_far_as_a_rule_reaches(
    session: dict[str, Any], earlier: list[tuple[float, float]], entry: float, connected: int
) -> None:
    visits = [visit(start, end) for start, end in earlier]
    found = connected_visits(rule_of(session), list(reversed(visits)), at(entry), SHANGHAI.zone)
    assert found == tuple(visits[len(visits) - connected :])


def test_a_chain_of_visits_keeps_its_newest_when_it_is_longer_than_a_session() -> None:
    visits = [visit(n, n + 0.5) for n in range(VISITS_MAX + 5)]
    found = connected_visits(rule_of(ROLLING), visits, at(VISITS_MAX + 5), SHANGHAI.zone)
    assert found == tuple(visits[6:])
    assert len(found) == VISITS_MAX - 1


@given(
    st.sampled_from(sorted(ACROSS)),
    st.lists(st.integers(1, 26 * 4), min_size=4, max_size=10).filter(lambda gaps: len(gaps) % 2 == 0),
)
def test_visits_charged_one_by_one_cost_what_all_cost_together(name: str, gaps: list[int]) -> None:
    compiled, rule = tariff(session=ACROSS[name]), rule_of(ACROSS[name])
    marks = [sum(gaps[: n + 1]) / 4 for n in range(len(gaps))]
    visits = [visit(start, end) for start, end in zip(marks[::2], marks[1::2], strict=True)]
    total = 0
    for number, one in enumerate(visits):
        earlier = connected_visits(rule, visits[:number], one.entry, SHANGHAI.zone)
        total += priced(compiled, (*earlier, one), charged=len(earlier)).amount_fen
    assert total == priced(compiled, tuple(visits)).amount_fen


def test_what_earlier_visits_cost_is_a_component_of_its_own() -> None:
    line = priced(tariff(session=CALENDAR_DAY), (visit(1, 5), visit(6, 8)), charged=1)
    assert line.amount_fen == line.exact == 200
    assert [(one.kind, one.fen) for one in line.components if one.key == EARLIER_KEY] == [(ComponentKind.REBATE, -800)]


def test_earlier_visits_that_cost_nothing_take_nothing_off() -> None:
    line = priced(tariff(session={**CALENDAR_DAY, "free": {"minutes": 30}}), (visit(1, 1.5), visit(6, 8)), charged=1)
    assert line.amount_fen == 400
    assert [one.key for one in line.components if one.key == EARLIER_KEY] == []


def test_a_line_never_pays_back_what_earlier_visits_cost() -> None:
    line = priced(tariff(session={**HOURLY, "rolling_cap": "3"}), (visit(1, 5), visit(6, 6)), charged=1)
    assert line.amount_fen == 0


def test_a_coupon_is_for_the_visits_that_are_not_charged_yet() -> None:
    compiled = tariff(session=CALENDAR_DAY)
    visits = (visit(1, 3), visit(6, 8))
    assert priced(compiled, visits, granted=60).amount_fen == 600
    assert priced(compiled, visits, charged=1, granted=60).amount_fen == 200
    assert priced(compiled, visits, charged=1, granted=180).amount_fen == 0


def test_a_payment_before_the_exit_is_one_of_the_last_visit() -> None:
    compiled = tariff(session={**CALENDAR_DAY, "exit_grace_minutes": 15})
    session = Session(
        visits=(visit(1, 3), visit(6, 8.1)),
        zone=SHANGHAI.zone,
        zone_name=SHANGHAI.zone_name,
        paid_at=at(8),
        charged=1,
    )
    assert rate(compiled, RatingRequest(period=JUNE, session=session)).amount_fen == 400


def test_a_session_has_a_visit_left_to_charge() -> None:
    with pytest.raises(InvariantError, match="not charged yet"):
        Session(visits=(visit(1, 2),), zone=SHANGHAI.zone, zone_name=SHANGHAI.zone_name, charged=1)


def test_what_was_charged_before_stands_in_the_hash_of_the_input() -> None:
    compiled = tariff(session=HOURLY)
    visits = (visit(1, 2), visit(3, 4))
    assert priced(compiled, visits).input_sha != priced(compiled, visits, charged=1).input_sha


def test_a_coupon_is_not_spent_on_a_stay_that_ended_as_the_next_began() -> None:
    visits = (visit(8, 9), visit(9, 9.5))
    assert priced(tariff(session=HOURLY), visits, charged=1).amount_fen == 200
    assert priced(tariff(session=HOURLY), visits, charged=1, granted=30).amount_fen == 0
