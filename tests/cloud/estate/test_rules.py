"""Who owes on which day."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.estate.kinds import Role
from cloud.estate.rules import payer_spans
from cloud.estate.values import Relation
from common.civil import Period, days_of
from common.ids import PartyId, PremisesId

HOME = PremisesId(UUID(int=9))
ANNA, BAO, CHEN = (PartyId(UUID(int=n)) for n in (1, 2, 3))
MAY = Period(date(2026, 5, 1), date(2026, 6, 1))


def relation(party: PartyId, role: Role, starts: date, ends: date | None = None) -> Relation:
    return Relation(premises_id=HOME, party_id=party, role=role, starts=starts, ends=ends)


OLD = date(2020, 1, 1)


@pytest.mark.parametrize(
    ("relations", "expected"),
    [
        pytest.param([], [], id="nobody owes what nobody owns"),
        pytest.param([relation(ANNA, Role.OWNER, OLD)], [(ANNA, 1, 32)], id="the owner owes"),
        pytest.param(
            [relation(ANNA, Role.OWNER, OLD), relation(BAO, Role.TENANT, OLD)],
            [(ANNA, 1, 32)],
            id="a tenant owes nothing",
        ),
        pytest.param(
            [relation(ANNA, Role.OWNER, OLD), relation(BAO, Role.PAYER, date(2026, 5, 11), date(2026, 5, 21))],
            [(ANNA, 1, 11), (BAO, 11, 21), (ANNA, 21, 32)],
            id="a payer takes over for its days",
        ),
        pytest.param(
            [relation(ANNA, Role.OWNER, OLD, date(2026, 5, 16)), relation(BAO, Role.OWNER, date(2026, 5, 16))],
            [(ANNA, 1, 16), (BAO, 16, 32)],
            id="a sale in mid-month splits the month at the day of handing over",
        ),
        pytest.param(
            [relation(BAO, Role.OWNER, OLD), relation(ANNA, Role.OWNER, date(2021, 1, 1))],
            [(BAO, 1, 32)],
            id="of two owners the one who came first owes",
        ),
        pytest.param(
            [relation(ANNA, Role.OWNER, OLD, date(2026, 5, 10)), relation(BAO, Role.OWNER, date(2026, 5, 20))],
            [(ANNA, 1, 10), (BAO, 20, 32)],
            id="days without an owner have no span",
        ),
    ],
)
def test_debt_belongs_to_the_party_in_force(
    relations: list[Relation], expected: list[tuple[PartyId, int, int]]
) -> None:
    found = payer_spans(relations, MAY)
    days = [(span.party_id, (span.start - MAY.start).days + 1, (span.end - MAY.start).days + 1) for span in found]
    assert days == expected


DAYS = st.dates(date(2026, 4, 20), date(2026, 6, 10))


@st.composite
def dated_relations(draw: st.DrawFn) -> Relation:
    starts, ends = sorted([draw(DAYS), draw(DAYS)])
    role = draw(st.sampled_from([Role.OWNER, Role.PAYER, Role.TENANT]))
    return relation(draw(st.sampled_from([ANNA, BAO, CHEN])), role, starts, ends if starts < ends else None)


@given(st.lists(dated_relations(), max_size=6))
def test_spans_are_in_order_and_each_day_has_at_most_one_payer_who_is_related_on_it(relations: list[Relation]) -> None:
    spans = payer_spans(relations, MAY)
    for before, after in pairwise(spans):
        assert before.end <= after.start
        assert before.end < after.start or before.party_id != after.party_id
    owing = [r for r in relations if r.role in (Role.OWNER, Role.PAYER)]
    for day in days_of(MAY):
        holders = {r.party_id for r in owing if r.starts <= day and (r.ends is None or day < r.ends)}
        charged = [span.party_id for span in spans if day in span.period]
        assert len(charged) == min(len(holders), 1)
        assert set(charged) <= holders
