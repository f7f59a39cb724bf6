"""The JSON of WeChat Pay APIv3 as values of the port: written strictly, read strictly.

Reading starts only after the signature of the raw bytes was checked. A field of another type, an unknown state or a
time without its zone is refused, never guessed. Beijing times become UTC here.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cloud.payments.channel import Method
from cloud.payments.channels.provider import (
    Notice,
    Order,
    OrderView,
    PlacedOrder,
    PromptKind,
    RefundOrder,
    RefundState,
    RefundView,
    TradeState,
)
from cloud.payments.channels.times import BEIJING
from cloud.payments.channels.trust import unreadable
from cloud.payments.channels.wechat.signing import KeyRing, open_secret, verify_answer

_TRADE_STATES = {
    "NOTPAY": TradeState.NOT_PAID,
    "USERPAYING": TradeState.PAYING,
    "SUCCESS": TradeState.PAID,
    "REFUND": TradeState.REFUNDED,
    "CLOSED": TradeState.CLOSED,
    "REVOKED": TradeState.CLOSED,
    "PAYERROR": TradeState.FAILED,
}
_AGREED = frozenset({"ENTRUST.SIGN", "ENTRUST.TERMINATE"})
_PAID = frozenset({TradeState.PAID, TradeState.REFUNDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A notification whose signature holds and whose secret opened: its own id, its kind and the plain resource."""

    event_id: str
    event_type: str
    resource: bytes


def order_body(order: Order, merchant_number: str, app_id: str) -> bytes:
    """Return the body that places an order by its method; one whose payer shows a code carries the code."""
    fields: dict[str, Any] = {
        "appid": app_id,
        "mchid": merchant_number,
        "description": order.description,
        "out_trade_no": order.number,
        "amount": {"total": order.amount_fen, "currency": order.currency},
    }
    if order.method is Method.DEDUCTION:
        del fields["mchid"]
        return written({**fields, "contract_id": order.payer.agreement, "transaction_notify_url": order.notify_url})
    if order.method is Method.CODE:
        fields["payer"] = {"auth_code": order.payer.auth_code}
        fields["scene_info"] = {"store_info": {"out_id": "desk"}}
        return written(fields)
    fields["time_expire"] = order.expires_at.astimezone(BEIJING).isoformat(timespec="seconds")
    fields["notify_url"] = order.notify_url
    if order.method is Method.JSAPI:
        fields["payer"] = {"openid": order.payer.open_id}
    if order.method is Method.H5:
        fields["scene_info"] = {"payer_client_ip": order.payer.address, "h5_info": {"type": "Wap"}}
    return written(fields)


def read_placed(fields: Mapping[str, Any], method: Method) -> PlacedOrder | OrderView:
    """Return what the answer to an order gives the payer; JSAPI's bare `prepay_id` is signed by the caller.

    Raises:
        DistrustedError: a field is missing or of another type.
    """
    match method:
        case Method.JSAPI:
            return PlacedOrder(code_url=text(fields, "prepay_id"), kind=PromptKind.INVOKE)
        case Method.H5:
            return PlacedOrder(code_url=text(fields, "h5_url"), kind=PromptKind.OPEN)
        case Method.CODE:
            return read_order(fields)
        case Method.DEDUCTION:
            text(fields, "out_trade_no")
            return PlacedOrder(code_url="", kind=PromptKind.WAIT)
        case _:
            return PlacedOrder(code_url=text(fields, "code_url"))


def notice_of(opened: Opened) -> Notice:
    """Return what a notification tells.

    Raises:
        DistrustedError: a field is missing, of another type or unknown.
    """
    fields = read_fields(opened.resource)
    if opened.event_type in _AGREED:
        return Notice(
            event_id=opened.event_id,
            event_type=opened.event_type,
            plain=opened.resource,
            order_number="",
            agreement_number=text(fields, "out_contract_code"),
        )
    refund_number = str(fields.get("out_refund_no") or "")
    return Notice(
        event_id=opened.event_id,
        event_type=opened.event_type,
        plain=opened.resource,
        order_number=text(fields, "out_trade_no"),
        view=None if refund_number else read_order(fields),
        refund_number=refund_number,
    )


def close_body(merchant_number: str) -> bytes:
    """Return the body that closes an order."""
    return written({"mchid": merchant_number})


def reverse_body(merchant_number: str, app_id: str) -> bytes:
    """Return the body that undoes an order whose payer showed a code."""
    return written({"appid": app_id, "mchid": merchant_number})


def refund_body(order: RefundOrder) -> bytes:
    """Return the body that asks for a refund."""
    return written(
        {
            "out_trade_no": order.order_number,
            "out_refund_no": order.refund_number,
            "reason": order.reason,
            "notify_url": order.notify_url,
            "amount": {"refund": order.amount_fen, "total": order.order_total_fen, "currency": order.currency},
        }
    )


def read_fields(body: bytes) -> Mapping[str, Any]:
    """Return the JSON object of an answer.

    Raises:
        DistrustedError: the bytes are not one JSON object.
    """
    try:
        fields = json.loads(body)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise unreadable("the body is not JSON") from error
    if not isinstance(fields, dict):
        raise unreadable("the body is not a JSON object")
    return fields


def read_order(fields: Mapping[str, Any]) -> OrderView:
    """Return an order from an answer to a query or from the resource of a notification.

    Raises:
        DistrustedError: a field is missing, of another type or unknown.
    """
    state = _TRADE_STATES.get(text(fields, "trade_state"))
    if state is None:
        raise unreadable(f"trade_state {fields['trade_state']!r} is not known")
    if state not in _PAID:
        return OrderView(
            merchant_number=text(fields, "mchid"),
            app_id=text(fields, "appid"),
            number=text(fields, "out_trade_no"),
            state=state,
        )
    amount = object_of(fields, "amount")
    return OrderView(
        merchant_number=text(fields, "mchid"),
        app_id=text(fields, "appid"),
        number=text(fields, "out_trade_no"),
        state=state,
        transaction_id=text(fields, "transaction_id"),
        total_fen=count(amount, "total"),
        currency=text(amount, "currency"),
        paid_at=_instant(fields, "success_time"),
        sub_method=str(fields.get("bank_type") or ""),
    )


def read_refund(fields: Mapping[str, Any]) -> RefundView:
    """Return a refund from an answer.

    Raises:
        DistrustedError: a field is missing, of another type or unknown.
    """
    try:
        state = RefundState(text(fields, "status").lower())
    except ValueError as error:
        raise unreadable("the refund's status is not known") from error
    amount = object_of(fields, "amount")
    return RefundView(
        order_number=text(fields, "out_trade_no"),
        refund_number=text(fields, "out_refund_no"),
        refund_id=text(fields, "refund_id"),
        state=state,
        amount_fen=count(amount, "refund"),
        currency=text(amount, "currency"),
        succeeded_at=_instant(fields, "success_time") if state is RefundState.SUCCESS else None,
    )


def open_notification(headers: Mapping[str, str], body: bytes, ring: KeyRing, api_key: bytes, now_s: int) -> Opened:
    """Return a notification after checking signature, window and secret, in this order.

    Raises:
        DistrustedError: with the first reason that applies.
    """
    verify_answer(headers, body, ring, now_s)
    fields = read_fields(body)
    secret = object_of(fields, "resource")
    if text(secret, "algorithm") != "AEAD_AES_256_GCM":
        raise unreadable("the secret has an algorithm that APIv3 does not know")
    try:
        ciphertext = b64decode(text(secret, "ciphertext"), validate=True)
    except ValueError as error:
        raise unreadable("the secret is not Base64") from error
    associated = secret.get("associated_data") or ""
    return Opened(
        event_id=text(fields, "id"),
        event_type=text(fields, "event_type"),
        resource=open_secret(api_key, text(secret, "nonce").encode(), str(associated).encode(), ciphertext),
    )


def text(fields: Mapping[str, Any], name: str) -> str:
    """Return a field that must be text with something in it.

    Raises:
        DistrustedError: it is missing, empty or of another type.
    """
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise unreadable(f"{name} is missing or not text")
    return value


def count(fields: Mapping[str, Any], name: str) -> int:
    """Return a field that must be a count of fen.

    Raises:
        DistrustedError: it is missing, negative or of another type.
    """
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise unreadable(f"{name} is missing or not a count of fen")
    return value


def object_of(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a field that must be an object.

    Raises:
        DistrustedError: it is missing or of another type.
    """
    value = fields.get(name)
    if not isinstance(value, dict):
        raise unreadable(f"{name} is missing or not an object")
    return value


def _instant(fields: Mapping[str, Any], name: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text(fields, name))
    except ValueError as error:
        raise unreadable(f"{name} is not a time") from error
    if instant.tzinfo is None:
        raise unreadable(f"{name} names no zone")
    return instant.astimezone(UTC)


def written(fields: Mapping[str, Any]) -> bytes:
    """Return the bytes of a request's JSON."""
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
