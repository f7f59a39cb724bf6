"""What Alipay's gateway says as values of the port: written strictly, read strictly.

Reading starts only after the signature was checked. Amounts are yuan with two decimals, times are Beijing time without
a zone. A field that is missing, of another type or unknown is refused, never guessed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cloud.payments.channel import Method
from cloud.payments.channels.provider import (
    Notice,
    Order,
    OrderRef,
    OrderView,
    RefundOrder,
    RefundRef,
    RefundState,
    RefundView,
    TradeState,
)
from cloud.payments.channels.times import beijing_text, read_beijing
from cloud.payments.channels.trust import Distrust, DistrustedError, unreadable
from common.errors import RefusalError
from common.money.amount import parse_scaled

NOTIFY_LIFE = timedelta(hours=26)
_CURRENCY = "CNY"
_PRODUCTS = {
    Method.PAGE: "FAST_INSTANT_TRADE_PAY",
    Method.WAP: "QUICK_WAP_WAY",
    Method.CODE: "FACE_TO_FACE_PAYMENT",
    Method.DEDUCTION: "CYCLE_PAY_AUTH",
}
_STATES = {
    "WAIT_BUYER_PAY": TradeState.NOT_PAID,
    "TRADE_SUCCESS": TradeState.PAID,
    "TRADE_FINISHED": TradeState.PAID,
    "TRADE_CLOSED": TradeState.CLOSED,
}


def order_content(order: Order) -> dict[str, Any]:
    """Return the business content that places an order by its method."""
    content: dict[str, Any] = {
        "out_trade_no": order.number,
        "total_amount": yuan(order.amount_fen),
        "subject": order.description,
    }
    if order.method in _PRODUCTS:
        content["product_code"] = _PRODUCTS[order.method]
    if order.method is Method.CODE:
        return content | {"scene": "bar_code", "auth_code": order.payer.auth_code}
    if order.method is Method.DEDUCTION:
        return content | {"agreement_params": {"agreement_no": order.payer.agreement}}
    return content | {"time_expire": beijing_text(order.expires_at)}


def refund_content(order: RefundOrder) -> dict[str, Any]:
    """Return the business content that asks for a refund."""
    return {
        "out_trade_no": order.order_number,
        "out_request_no": order.refund_number,
        "refund_amount": yuan(order.amount_fen),
        "refund_reason": order.reason,
    }


def read_content(text: str) -> Mapping[str, Any]:
    """Return the fields of an answer's node.

    Raises:
        DistrustedError: it is not one JSON object.
    """
    fields = json.loads(text)
    if not isinstance(fields, dict):
        raise unreadable("the answer's node is not an object")
    return fields


def read_order(fields: Mapping[str, Any], merchant_number: str, app_id: str) -> OrderView:
    """Return an order from an answer or a notification; who it belongs to is told by whoever signed for it.

    Raises:
        DistrustedError: a field is missing, of another type or unknown.
    """
    told = word(fields, "trade_status")
    state = _STATES.get(told)
    if state is None:
        raise unreadable(f"trade_status {told!r} is not known")
    paid = fields.get("send_pay_date") or fields.get("gmt_payment")
    if state is TradeState.CLOSED and paid:
        state = TradeState.REFUNDED
    number = word(fields, "out_trade_no")
    if state not in {TradeState.PAID, TradeState.REFUNDED}:
        return OrderView(merchant_number=merchant_number, app_id=app_id, number=number, state=state)
    return OrderView(
        merchant_number=merchant_number,
        app_id=app_id,
        number=number,
        state=state,
        transaction_id=word(fields, "trade_no"),
        total_fen=fen(fields, "total_amount"),
        currency=_CURRENCY,
        paid_at=_instant(str(paid or "")),
        sub_method=_sub_method(fields),
    )


def read_code_payment(fields: Mapping[str, Any], merchant_number: str, app_id: str) -> OrderView:
    """Return the order that was paid at once, by a code that was shown or by an agreement.

    Raises:
        DistrustedError: a field is missing or of another type.
    """
    return OrderView(
        merchant_number=merchant_number,
        app_id=app_id,
        number=word(fields, "out_trade_no"),
        state=TradeState.PAID,
        transaction_id=word(fields, "trade_no"),
        total_fen=fen(fields, "total_amount"),
        currency=_CURRENCY,
        paid_at=_instant(word(fields, "gmt_payment")),
        sub_method=_sub_method(fields),
    )


def read_refund(fields: Mapping[str, Any], refund: RefundRef) -> RefundView | None:
    """Return a refund from the answer to a question about it, or None when Alipay has none of that number.

    Raises:
        DistrustedError: a field is missing or of another type.
    """
    if not fields.get("out_request_no"):
        return None
    arrived = fields.get("refund_status") == "REFUND_SUCCESS"
    return RefundView(
        order_number=word(fields, "out_trade_no"),
        refund_number=word(fields, "out_request_no"),
        refund_id=f"{word(fields, 'trade_no')}:{refund.number}",
        state=RefundState.SUCCESS if arrived else RefundState.PROCESSING,
        amount_fen=fen(fields, "refund_amount"),
        currency=_CURRENCY,
        succeeded_at=_instant(word(fields, "gmt_refund_pay")) if arrived else None,
    )


def notice_of(fields: Mapping[str, str], plain: bytes, now_s: int) -> Notice:
    """Return what a notification tells, whose signature holds already.

    Raises:
        DistrustedError: it is older than the last repetition, or a field is missing or unknown.
    """
    sent = _instant(word(fields, "notify_time"))
    if abs(datetime.fromtimestamp(now_s, UTC) - sent) > NOTIFY_LIFE:
        raise DistrustedError(Distrust.STALE, "the notification is older than the last time it could be repeated")
    refund_number = fields.get("out_biz_no", "") if fields.get("refund_fee") else ""
    return Notice(
        event_id=word(fields, "notify_id"),
        event_type=word(fields, "notify_type"),
        plain=plain,
        order_number=word(fields, "out_trade_no"),
        view=None if refund_number else read_order(fields, word(fields, "seller_id"), word(fields, "app_id")),
        refund_number=refund_number,
    )


def order_question(order: OrderRef) -> dict[str, Any]:
    """Return the business content that names an order."""
    return {"out_trade_no": order.number}


def refund_question(refund: RefundRef) -> dict[str, Any]:
    """Return the business content that names a refund."""
    return {
        "out_trade_no": refund.order_number,
        "out_request_no": refund.number,
        "query_options": ["gmt_refund_pay"],
    }


def word(fields: Mapping[str, Any], name: str) -> str:
    """Return a field that must be text with something in it.

    Raises:
        DistrustedError: it is missing, empty or of another type.
    """
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise unreadable(f"{name} is missing or not text")
    return value


def fen(fields: Mapping[str, Any], name: str) -> int:
    """Return an amount in fen of a field in yuan.

    Raises:
        DistrustedError: it is no amount with at most two decimals.
    """
    try:
        return parse_scaled(word(fields, name), 2, name)
    except DistrustedError:
        raise
    except RefusalError as error:
        raise unreadable(f"{name} is no amount in yuan") from error


def yuan(amount_fen: int) -> str:
    """Return an amount as Alipay writes it."""
    return f"{amount_fen // 100}.{amount_fen % 100:02d}"


def _sub_method(fields: Mapping[str, Any]) -> str:
    """Return from where the payer's money came, as Alipay names it; several sources are joined."""
    funds = fields.get("fund_bill_list")
    if isinstance(funds, str):
        try:
            funds = json.loads(funds)
        except ValueError:
            return ""
    if not isinstance(funds, list):
        return ""
    names = [fund.get("fund_channel") or fund.get("fundChannel") for fund in funds if isinstance(fund, dict)]
    return "+".join(sorted({str(name) for name in names if name}))


def _instant(text: str) -> datetime:
    try:
        return read_beijing(text[:19])
    except RefusalError as error:
        raise unreadable(f"{text!r} is no time of the channel") from error
