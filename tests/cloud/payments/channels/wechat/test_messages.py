"""Answers and notifications: read strictly, after the signature, never guessed."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cloud.payments.channel import Method
from cloud.payments.channels import trust
from cloud.payments.channels.provider import Order, RefundOrder, RefundState, TradeState
from cloud.payments.channels.trust import Distrust, DistrustedError
from cloud.payments.channels.wechat import messages, signing
from cloud.payments.channels.wechat.signing import KeyRing
from tests.cloud.payments.channels.wechat.vectors import of_kind, private_key, public_key, refusal_of

NOW_S = 1_700_000_000
API_KEY = b"0123456789abcdef0123456789abcdef"
KEY = private_key("wx-java-merchant")
RING = KeyRing(keys={"A": KEY.public_key()})
PAID = {
    "mchid": "1900000001",
    "appid": "wx1",
    "out_trade_no": "GH20260105AAAAAAAAAAAAA0",
    "trade_state": "SUCCESS",
    "transaction_id": "42000001",
    "success_time": "2026-01-05T08:30:00+08:00",
    "amount": {"total": 12345, "currency": "CNY"},
}


@pytest.mark.parametrize("vector", of_kind("wechat.v3.notify"), ids=lambda vector: str(vector["id"]))
def test_a_published_notification_opens_only_with_its_exact_bytes(vector: dict[str, Any]) -> None:
    given, expected = vector["input"], vector["expect"]
    ring = KeyRing(keys={given["headers"]["Wechatpay-Serial"]: public_key(given["key"])})
    headers, body, api_key = given["headers"], given["body"].encode(), given["apiv3_key"].encode()

    def opened() -> messages.Opened:
        return messages.open_notification(headers, body, ring, api_key, given["now"])

    if not expected["valid"]:
        assert refusal_of(opened) is Distrust.BAD_SIGNATURE
        return
    assert opened().resource.decode() == expected["plaintext"]
    assert opened().event_type == "PAYSCORE.USER_OPEN_SERVICE"


def _notification(**changes: Any) -> bytes:
    secret = {
        "algorithm": "AEAD_AES_256_GCM",
        "nonce": "abcdefghijkl",
        "associated_data": "transaction",
        "ciphertext": b64encode(AESGCM(API_KEY).encrypt(b"abcdefghijkl", b"{}", b"transaction")).decode(),
        **changes,
    }
    return json.dumps({"id": "e1", "event_type": "TRANSACTION.SUCCESS", "resource": secret}).encode()


def _headers(body: bytes) -> dict[str, str]:
    signature = trust.sign(KEY, signing.answer_message(str(NOW_S), "n", body))
    return {
        "wechatpay-timestamp": str(NOW_S),
        "wechatpay-nonce": "n",
        "wechatpay-serial": "A",
        "wechatpay-signature": signature,
    }


def test_a_truncated_notification_is_refused_as_forged() -> None:
    body = _notification()
    assert messages.open_notification(_headers(body), body, RING, API_KEY, NOW_S).resource == b"{}"
    with pytest.raises(DistrustedError) as caught:
        messages.open_notification(_headers(body), body[:-10], RING, API_KEY, NOW_S)
    assert caught.value.reason is Distrust.BAD_SIGNATURE


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"id":"e1","event_type":"T"}',
        _notification(algorithm="ROT13"),
        _notification(ciphertext="%%%"),
        _notification(nonce=""),
        _notification(associated_data="other"),
    ],
)
def test_a_signed_but_unreadable_notification_is_refused(body: bytes) -> None:
    with pytest.raises(DistrustedError) as caught:
        messages.open_notification(_headers(body), body, RING, API_KEY, NOW_S)
    assert caught.value.reason is Distrust.UNREADABLE


def test_a_paid_order_is_read_with_its_time_in_utc() -> None:
    view = messages.read_order(PAID)
    assert (view.state, view.total_fen, view.currency) == (TradeState.PAID, 12345, "CNY")
    assert view.paid_at == datetime(2026, 1, 5, 0, 30, tzinfo=UTC)


def test_an_unpaid_order_carries_no_money() -> None:
    view = messages.read_order({**PAID, "trade_state": "NOTPAY"})
    assert (view.state, view.total_fen, view.transaction_id) == (TradeState.NOT_PAID, None, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"trade_state": "MAYBE"},
        {"trade_state": None},
        {"mchid": 1900000001},
        {"amount": {"total": "12345", "currency": "CNY"}},
        {"amount": {"total": True, "currency": "CNY"}},
        {"amount": {"total": -1, "currency": "CNY"}},
        {"amount": {"total": 123.45, "currency": "CNY"}},
        {"amount": {"total": 12345}},
        {"amount": None},
        {"success_time": "2026-01-05T08:30:00"},
        {"success_time": "yesterday"},
    ],
)
def test_a_field_of_another_shape_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(DistrustedError):
        messages.read_order({**PAID, **changes})


def test_an_order_is_written_with_its_expiry_in_beijing_time() -> None:
    order = Order(
        number="GH1",
        amount_fen=5,
        description="物业费",
        notify_url="https://x/n",
        made_at=datetime(2026, 1, 1, tzinfo=UTC),
        expires_at=datetime(2026, 1, 1, tzinfo=UTC),
        method=Method.NATIVE,
    )
    assert json.loads(messages.order_body(order, "m", "a")) == {
        "appid": "a",
        "mchid": "m",
        "description": "物业费",
        "out_trade_no": "GH1",
        "time_expire": "2026-01-01T08:00:00+08:00",
        "notify_url": "https://x/n",
        "amount": {"total": 5, "currency": "CNY"},
    }


def test_a_refund_is_written_and_read() -> None:
    order = RefundOrder(
        order_number="GH1",
        transaction_id="4200",
        refund_number="RF1",
        made_at=datetime(2026, 1, 1, tzinfo=UTC),
        amount_fen=2,
        order_total_fen=5,
        reason="多退",
        notify_url="https://x/r",
    )
    assert json.loads(messages.refund_body(order))["amount"] == {"refund": 2, "total": 5, "currency": "CNY"}
    answer = {
        "out_trade_no": "GH1",
        "out_refund_no": "RF1",
        "refund_id": "50",
        "status": "PROCESSING",
        "amount": {"refund": 2, "currency": "CNY"},
    }
    assert messages.read_refund(answer).state is RefundState.PROCESSING
    with pytest.raises(DistrustedError):
        messages.read_refund({**answer, "status": "LOST"})
