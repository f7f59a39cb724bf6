"""Alipay's fields are read strictly: nothing missing, nothing guessed, the amount to the fen."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cloud.payments.channels.alipay import messages
from cloud.payments.channels.provider import RefundRef, RefundState, TradeState
from cloud.payments.channels.trust import Distrust, DistrustedError

NOW_S = int(datetime(2026, 3, 5, 5, tzinfo=UTC).timestamp())
PAID = {
    "out_trade_no": "GH1",
    "trade_no": "2026",
    "trade_status": "TRADE_SUCCESS",
    "total_amount": "123.45",
    "send_pay_date": "2026-03-05 12:00:00",
    "fund_bill_list": [{"fund_channel": "PCREDIT"}, {"fund_channel": "COUPON"}],
}
NOTICE = {
    "notify_time": "2026-03-05 12:00:01",
    "notify_id": "n1",
    "notify_type": "trade_status_sync",
    "app_id": "a",
    "seller_id": "2088",
    "gmt_payment": "2026-03-05 12:00:00",
    "out_trade_no": "GH1",
    "trade_no": "2026",
    "trade_status": "TRADE_SUCCESS",
    "total_amount": "123.45",
}
REFUND = RefundRef(number="RF1", order_number="GH1", made_at=datetime(2026, 3, 5, tzinfo=UTC))


def test_a_paid_order_says_when_how_much_and_from_what() -> None:
    view = messages.read_order(PAID, "2088", "a")
    assert (view.state, view.total_fen, view.sub_method) == (TradeState.PAID, 12_345, "COUPON+PCREDIT")
    assert view.paid_at == datetime(2026, 3, 5, 4, tzinfo=UTC)


def test_a_closed_order_that_was_paid_is_refunded() -> None:
    assert messages.read_order({**PAID, "trade_status": "TRADE_CLOSED"}, "2088", "a").state is TradeState.REFUNDED
    unpaid = {name: value for name, value in PAID.items() if name != "send_pay_date"}
    assert messages.read_order({**unpaid, "trade_status": "TRADE_CLOSED"}, "2088", "a").state is TradeState.CLOSED


@pytest.mark.parametrize(
    "changes",
    [
        {"trade_status": "PAID"},
        {"trade_status": None},
        {"total_amount": "123.456"},
        {"total_amount": "1e2"},
        {"total_amount": 123.45},
        {"trade_no": ""},
        {"out_trade_no": 5},
        {"send_pay_date": "soon"},
    ],
)
def test_a_field_that_is_missing_or_odd_is_never_guessed(changes: dict[str, Any]) -> None:
    with pytest.raises(DistrustedError):
        messages.read_order({**PAID, **changes}, "2088", "a")


def test_a_notification_of_an_order_and_one_of_a_refund_are_told_apart() -> None:
    assert messages.notice_of(NOTICE, b"", NOW_S).view is not None
    refund = messages.notice_of({**NOTICE, "out_biz_no": "RF1", "refund_fee": "1.00"}, b"", NOW_S)
    assert (refund.view, refund.refund_number) == (None, "RF1")


def test_a_notification_later_than_any_repetition_is_stale() -> None:
    with pytest.raises(DistrustedError) as caught:
        messages.notice_of(NOTICE, b"", NOW_S + 27 * 3600)
    assert caught.value.reason is Distrust.STALE


def test_a_refund_without_status_is_under_way_and_one_without_number_is_none() -> None:
    told = {"out_trade_no": "GH1", "trade_no": "2026", "out_request_no": "RF1", "refund_amount": "1.00"}
    waiting = messages.read_refund(told, REFUND)
    assert waiting is not None
    assert waiting.state is RefundState.PROCESSING
    assert messages.read_refund({"code": "10000"}, REFUND) is None


@pytest.mark.parametrize(("fen", "text"), [(1, "0.01"), (100, "1.00"), (12_345, "123.45")])
def test_amounts_are_written_in_yuan(fen: int, text: str) -> None:
    assert messages.yuan(fen) == text
