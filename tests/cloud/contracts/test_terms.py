"""Contract terms: instalments counted from the start, no overlap, nothing outside the contract."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.contracts.terms import Every, Term, check_terms, instalments
from common.civil import Period, nth_month
from common.errors import RefusalError
from common.ids import ChargeItemId

RENT, FEE = ChargeItemId(UUID(int=1)), ChargeItemId(UUID(int=2))
YEAR_ONE = Period(date(2026, 1, 31), date(2027, 1, 31))
YEAR_TWO = Period(date(2027, 1, 31), date(2028, 1, 31))


def term(period: Period = YEAR_ONE, *, item: ChargeItemId = RENT, every: Every = Every.MONTH, fen: int = 1) -> Term:
    return Term(charge_item_id=item, period=period, every=every, amount_fen=fen)


def test_a_term_from_the_31st_does_not_drift() -> None:
    due = [one.service.start for one in instalments((term(),), Period(date(2026, 1, 1), date(2026, 5, 1)))]
    assert due == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]


def test_an_escalating_rent_takes_the_next_amount_in_its_second_year() -> None:
    rent = (term(fen=3_000_00), term(YEAR_TWO, fen=3_150_00))
    around = instalments(rent, Period(date(2026, 12, 1), date(2027, 3, 1)))
    assert [one.amount_fen for one in around] == [3_000_00, 3_150_00, 3_150_00]


@given(st.sampled_from(Every), st.dates(date(2026, 1, 31), date(2027, 1, 30)))
def test_instalments_of_a_year_tile_it_and_a_cut_loses_none(every: Every, cut: date) -> None:
    whole = instalments((term(every=every),), YEAR_ONE)
    assert all(left.service.end == right.service.start for left, right in pairwise(whole))
    if YEAR_ONE.start < cut:
        halves = instalments((term(every=every),), Period(YEAR_ONE.start, cut))
        assert halves + instalments((term(every=every),), Period(cut, YEAR_ONE.end)) == whole


@pytest.mark.parametrize(
    "terms",
    [
        (term(YEAR_TWO),),
        (term(), term(Period(date(2026, 12, 31), date(2027, 1, 31)))),
    ],
    ids=["outside the contract", "overlapping"],
)
def test_terms_that_cannot_be_are_refused(terms: tuple[Term, ...]) -> None:
    with pytest.raises(RefusalError):
        check_terms(YEAR_ONE, terms)


def test_terms_of_two_charge_items_may_run_side_by_side() -> None:
    check_terms(YEAR_ONE, (term(), term(item=FEE)))


def test_a_negative_amount_is_refused() -> None:
    with pytest.raises(RefusalError):
        replace(term(), amount_fen=-1)


def test_the_last_instalment_begins_inside_its_term() -> None:
    assert nth_month(YEAR_ONE.start, 11) == instalments((term(),), YEAR_ONE)[-1].service.start
