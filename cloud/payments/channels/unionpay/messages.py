"""The fields of UnionPay 5.1.0 as values of the port: written strictly, read strictly.

Amounts are fen. `txnTime` names an order together with its number, so it is made from the instant of the order and
never from the clock. A trace time says no year: it is the first such moment not before the order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from cloud.payments.channel import Method
from cloud.payments.channels.provider import (
    Notice,
    Order,
    OrderView,
    RefundOrder,
    RefundRef,
    RefundState,
    RefundView,
    TradeState,
)
from cloud.payments.channels.times import COMPACT, beijing_text, read_beijing
from cloud.payments.channels.trust import unreadable
from common.errors import RefusalError

DONE = "00"
UNDECIDED = frozenset({"03", "04", "05"})
_CURRENCY = {"156": "CNY"}
_COUNT = re.compile(r"[0-9]{1,12}", re.ASCII)
_TRADE_KINDS = {Method.GATEWAY: ("01", "000201"), Method.QR: ("07", "000000"), Method.CODE: ("06", "000000")}
_CONSUME, _REFUND = "01", "04"
_SLACK = timedelta(days=1)
_QUICK_PASS = "quickpass"  # noqa: S105 - 云闪付, the app that scans the code


def order_fields(order: Order) -> dict[str, str]:
    """Return the fields that place an order by its method."""
    kind, business = _TRADE_KINDS[order.method]
    fields = {
        "txnType": _CONSUME,
        "txnSubType": kind,
        "bizType": business,
        "channelType": "08" if order.method is Method.CODE else "07",
        "orderId": order.number,
        "txnTime": beijing_text(order.made_at, COMPACT),
        "txnAmt": str(order.amount_fen),
        "currencyCode": "156",
        "backUrl": order.notify_url,
        "payTimeout": beijing_text(order.expires_at, COMPACT),
        "orderDesc": order.description,
    }
    if order.method is Method.GATEWAY:
        fields["frontUrl"] = order.return_url
    if order.method is Method.CODE:
        fields["qrNo"] = order.payer.auth_code
        fields["termId"] = "00000001"
    return fields


def question_fields(number: str, made_at: datetime) -> dict[str, str]:
    """Return the fields that ask about an order or a refund."""
    return {
        "txnType": "00",
        "txnSubType": "00",
        "bizType": "000000",
        "orderId": number,
        "txnTime": beijing_text(made_at, COMPACT),
    }


def reverse_fields(number: str, made_at: datetime) -> dict[str, str]:
    """Return the fields that undo an order whose payer showed a code (冲正)."""
    return {
        "txnType": "99",
        "txnSubType": "01",
        "bizType": "000000",
        "channelType": "08",
        "orderId": number,
        "txnTime": beijing_text(made_at, COMPACT),
    }


def refund_fields(order: RefundOrder) -> dict[str, str]:
    """Return the fields that ask for a refund."""
    return {
        "txnType": _REFUND,
        "txnSubType": "00",
        "bizType": "000000",
        "channelType": "07",
        "orderId": order.refund_number,
        "txnTime": beijing_text(order.made_at, COMPACT),
        "txnAmt": str(order.amount_fen),
        "origQryId": order.transaction_id,
        "backUrl": order.notify_url,
    }


def read_order(fields: Mapping[str, str], result: str) -> OrderView:
    """Return an order whose result code is given, from an answer to a question or a notification.

    Raises:
        DistrustedError: a field is missing or unknown.
    """
    merchant, number = word(fields, "merId"), word(fields, "orderId")
    if result != DONE:
        state = TradeState.PAYING if result in UNDECIDED else TradeState.FAILED
        return OrderView(merchant_number=merchant, app_id="", number=number, state=state)
    currency = _CURRENCY.get(word(fields, "currencyCode"))
    if currency is None:
        raise unreadable(f"currencyCode {fields['currencyCode']!r} is not known")
    return OrderView(
        merchant_number=merchant,
        app_id="",
        number=number,
        state=TradeState.PAID,
        transaction_id=word(fields, "queryId"),
        total_fen=fen(fields, "txnAmt"),
        currency=currency,
        paid_at=traced_at(fields),
        sub_method=fields.get("payType") or (_QUICK_PASS if fields.get("txnSubType") in {"06", "07"} else ""),
    )


def read_refund(fields: Mapping[str, str], result: str, refund: RefundRef) -> RefundView:
    """Return a refund whose result code is given, from the answer to a question.

    Raises:
        DistrustedError: a field is missing or unknown.
    """
    if result == DONE:
        state = RefundState.SUCCESS
    else:
        state = RefundState.PROCESSING if result in UNDECIDED else RefundState.CLOSED
    return RefundView(
        order_number=refund.order_number,
        refund_number=word(fields, "orderId"),
        refund_id=word(fields, "queryId"),
        state=state,
        amount_fen=fen(fields, "txnAmt"),
        currency=_CURRENCY.get(fields.get("currencyCode", "156"), ""),
        succeeded_at=traced_at(fields) if state is RefundState.SUCCESS else None,
    )


def notice_of(fields: Mapping[str, str], plain: bytes) -> Notice:
    """Return what a notification tells, whose signature holds already; UnionPay gives no id, so its content is one.

    Raises:
        DistrustedError: a field is missing or unknown.
    """
    kind, number, result = word(fields, "txnType"), word(fields, "orderId"), word(fields, "respCode")
    refund = kind == _REFUND
    return Notice(
        event_id=f"{word(fields, 'queryId')}:{kind}:{result}",
        event_type=kind,
        plain=plain,
        order_number="" if refund else number,
        view=None if refund else read_order(fields, result),
        refund_number=number if refund else "",
    )


def traced_at(fields: Mapping[str, str]) -> datetime:
    """Return when it happened: `MMDDhhmmss`, in the year that is not before the order.

    Raises:
        DistrustedError: it is no time.
    """
    ordered, trace = word(fields, "txnTime"), word(fields, "traceTime")
    try:
        start = read_beijing(ordered, COMPACT)
        found = read_beijing(f"{ordered[:4]}{trace}", COMPACT)
        return found if found >= start - _SLACK else read_beijing(f"{int(ordered[:4]) + 1}{trace}", COMPACT)
    except RefusalError as error:
        raise unreadable("traceTime or txnTime is no time of the channel") from error


def word(fields: Mapping[str, str], name: str) -> str:
    """Return a field with something in it.

    Raises:
        DistrustedError: it is missing or empty.
    """
    value = fields.get(name)
    if not value:
        raise unreadable(f"{name} is missing")
    return value


def fen(fields: Mapping[str, str], name: str) -> int:
    """Return an amount in fen.

    Raises:
        DistrustedError: it is no count of fen.
    """
    text = word(fields, name)
    if _COUNT.fullmatch(text) is None:
        raise unreadable(f"{name} is not a count of fen")
    return int(text)
