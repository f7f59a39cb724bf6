"""UnionPay's fields are read strictly; a trace time without a year finds its year."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cloud.payments.channels.provider import RefundRef, RefundState, TradeState
from cloud.payments.channels.trust import DistrustedError
from cloud.payments.channels.unionpay import messages

PAID = {
    "merId": "777290058110097",
    "orderId": "GH1",
    "queryId": "202603050000000000001",
    "txnAmt": "12345",
    "currencyCode": "156",
    "txnTime": "20260305120000",
    "traceTime": "0305120003",
    "txnSubType": "07",
}
REFUND = RefundRef(number="RF1", order_number="GH1", made_at=datetime(2026, 3, 5, tzinfo=UTC))


@pytest.mark.parametrize(
    ("code", "state"),
    [("00", TradeState.PAID), ("03", TradeState.PAYING), ("05", TradeState.PAYING), ("51", TradeState.FAILED)],
)
def test_only_the_result_code_decides(code: str, state: TradeState) -> None:
    assert messages.read_order(PAID, code).state is state


def test_a_paid_order_says_when_and_how_much() -> None:
    view = messages.read_order(PAID, "00")
    assert (view.total_fen, view.currency, view.sub_method) == (12_345, "CNY", "quickpass")
    assert view.paid_at == datetime(2026, 3, 5, 4, 0, 3, tzinfo=UTC)


def test_a_payment_after_new_years_eve_is_of_the_next_year() -> None:
    fields = {**PAID, "txnTime": "20261231235959", "traceTime": "0101000003"}
    assert messages.traced_at(fields) == datetime(2026, 12, 31, 16, 0, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    "changes",
    [
        {"txnAmt": "123.45"},
        {"txnAmt": "-5"},
        {"txnAmt": ""},
        {"currencyCode": "840"},
        {"queryId": ""},
        {"traceTime": "0230250000"},
        {"orderId": ""},
    ],
)
def test_a_field_that_is_missing_or_odd_is_never_guessed(changes: dict[str, str]) -> None:
    with pytest.raises(DistrustedError):
        messages.read_order({**PAID, **changes}, "00")


def test_a_notification_of_a_refund_names_no_order() -> None:
    told = messages.notice_of({**PAID, "txnType": "04", "respCode": "00", "orderId": "RF1"}, b"")
    assert (told.refund_number, told.order_number, told.view) == ("RF1", "", None)


@pytest.mark.parametrize(
    ("code", "state"), [("00", RefundState.SUCCESS), ("04", RefundState.PROCESSING), ("96", RefundState.CLOSED)]
)
def test_a_refund_is_done_only_by_its_result_code(code: str, state: RefundState) -> None:
    assert messages.read_refund({**PAID, "orderId": "RF1"}, code, REFUND).state is state
