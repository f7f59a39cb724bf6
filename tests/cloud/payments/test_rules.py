"""The pure decisions about payments: division, comparison, states and the plan of questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.billing.documents import OpenLine
from cloud.billing.settling import Settling, settled
from cloud.payments.channels.provider import OrderView, TradeState
from cloud.payments.rules import (
    ASK_AFTER,
    PAYMENT_FEN_MAX,
    AttemptState,
    Division,
    Expected,
    check_amount,
    differences,
    divide,
    is_paid,
    may_move,
    next_question,
)
from cloud.tariffs.charge import FundClass
from common.civil import Period
from common.errors import InvariantError, RefusalError
from common.ids import AccountId, BillId, ChargeItemId, CommunityId, LegalEntityId

PAYER = AccountId(UUID(int=7))
NOW = datetime(2026, 3, 5, tzinfo=UTC)


def due(bill: int, n: int, day: int, open_fen: int) -> OpenLine:
    nobody = UUID(int=0)
    return OpenLine(
        community_id=CommunityId(nobody),
        account_id=PAYER,
        bill_id=BillId(UUID(int=bill)),
        number=f"B{bill}",
        n=n,
        charge_item_id=ChargeItemId(nobody),
        charge_code="c",
        name_zh="c",
        name_en="c",
        period=Period(date(2026, 1, 1), date(2026, 2, 1)),
        due=date(2026, 1, day),
        open_fen=open_fen,
        fund_class=FundClass.OPERATING,
        legal_entity_id=LegalEntityId(nobody),
    )


def divided(amount_fen: int, dues: Sequence[OpenLine]) -> Division:
    return divide(amount_fen, PAYER, settled(dues, amount_fen, Settling()))


def parts(division: Division) -> list[tuple[int, int, int]]:
    return [(part.line.bill_id.int, part.line.n, part.fen) for part in division.allocations]


def test_the_oldest_line_is_settled_first_and_the_rest_is_paid_ahead() -> None:
    division = divided(500, [due(2, 1, 20, 300), due(1, 2, 10, 50), due(1, 1, 10, 100)])
    assert parts(division) == [(1, 1, 100), (1, 2, 50), (2, 1, 300)]
    assert division.ahead_fen == 50


def test_defect_6_a_payment_in_part_stops_in_the_middle_of_a_line() -> None:
    division = divided(120, [due(1, 1, 10, 100), due(2, 1, 20, 300)])
    assert parts(division) == [(1, 1, 100), (2, 1, 20)]
    assert division.ahead_fen == 0


DUES = st.lists(
    st.tuples(st.integers(1, 5), st.integers(1, 28), st.integers(1, 10**9)),
    max_size=12,
    unique_by=lambda entry: entry[:2],
).map(lambda entries: [due(bill, n, n, fen) for bill, n, fen in entries])


@given(st.integers(1, PAYMENT_FEN_MAX), DUES, st.randoms(use_true_random=False))
def test_parts_sum_to_the_payment_no_line_gets_too_much_and_order_does_not_matter(
    amount_fen: int, dues: list[OpenLine], shuffler: Any
) -> None:
    division = divided(amount_fen, dues)
    open_fen = {entry.ref: entry.open_fen for entry in dues}
    assert sum(part.fen for part in division.allocations) + division.ahead_fen == amount_fen
    assert all(0 < part.fen <= open_fen[part.line] for part in division.allocations)
    assert division.ahead_fen == 0 or len(division.allocations) == len(dues)
    shuffled = list(dues)
    shuffler.shuffle(shuffled)
    assert divided(amount_fen, shuffled) == division


@given(st.integers(1, 10**9), st.integers(1, 10**9), DUES)
def test_paying_in_two_parts_settles_as_paying_once(first_fen: int, second_fen: int, dues: list[OpenLine]) -> None:
    first = divided(first_fen, dues)
    settled = {part.line: part.fen for part in first.allocations}
    left = [replace(entry, open_fen=entry.open_fen - settled.get(entry.ref, 0)) for entry in dues]
    second = divided(second_fen, [entry for entry in left if entry.open_fen])
    once = divided(first_fen + second_fen, dues)
    for part in second.allocations:
        settled[part.line] = settled.get(part.line, 0) + part.fen
    assert settled == {part.line: part.fen for part in once.allocations}
    assert first.ahead_fen + second.ahead_fen == once.ahead_fen


def test_a_payment_never_settles_more_than_was_paid() -> None:
    with pytest.raises(InvariantError):
        divide(99, PAYER, [(due(1, 1, 10, 100).ref, 100)])


@pytest.mark.parametrize("amount_fen", [0, -1, PAYMENT_FEN_MAX + 1])
def test_an_amount_nobody_can_pay_is_refused(amount_fen: int) -> None:
    with pytest.raises(RefusalError, match="correct the amount"):
        check_amount(amount_fen)


EXPECTED = Expected(merchant_number="1900", app_id="wx1", number="GH1", amount_fen=100, currency="CNY")
VIEW: dict[str, Any] = {
    "merchant_number": "1900",
    "app_id": "wx1",
    "number": "GH1",
    "state": TradeState.PAID,
    "transaction_id": "42",
    "total_fen": 100,
    "currency": "CNY",
    "paid_at": NOW,
}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({}, []),
        ({"total_fen": 101}, ["amount"]),
        ({"total_fen": 99}, ["amount"]),
        ({"total_fen": None}, ["amount"]),
        ({"merchant_number": "1901"}, ["merchant"]),
        ({"app_id": "wx2"}, ["application"]),
        ({"number": "GH2"}, ["order"]),
        ({"currency": "USD"}, ["currency"]),
        ({"currency": "USD", "total_fen": 1}, ["currency", "amount"]),
    ],
)
def test_an_answer_that_differs_in_anything_is_told(change: dict[str, Any], what: list[str]) -> None:
    view = OrderView(**{**VIEW, **change})
    assert [difference.what for difference in differences(EXPECTED, view)] == what


def test_refunded_money_was_paid() -> None:
    states = {state for state in TradeState if is_paid(OrderView(**{**VIEW, "state": state}))}
    assert states == {TradeState.PAID, TradeState.REFUNDED}


def test_money_is_booked_from_every_state_but_paid_and_paid_is_final() -> None:
    for state in AttemptState:
        assert may_move(state, AttemptState.PAID) == (state is not AttemptState.PAID)
        assert not may_move(AttemptState.PAID, state)
    assert not may_move(AttemptState.CLOSED, AttemptState.SENT)


def test_questions_come_ever_more_rarely_and_never_stop() -> None:
    moments = [next_question(asked, NOW) - NOW for asked in range(12)]
    assert moments == sorted(moments)
    assert moments[0] == timedelta(seconds=5)
    assert moments[-1] == ASK_AFTER[-1] == timedelta(hours=6)
