"""A wish to pay by a shown code travels signed both ways; its code is in no text."""

from __future__ import annotations

from uuid import UUID

import pytest

from common.wire.cbor import encode
from common.wire.charge import (
    ChargeAnswer,
    ChargeRequest,
    ChargeState,
    open_charge_answer,
    read_charge,
    sign_charge,
    sign_charge_answer,
)
from common.wire.refusal import Refusal, WireError
from common.wire.requests import open_request
from common.wire.signing import Purpose, sign, verify
from tests.common.wire.builders import CLOUD_KEY, GATEWAY, GATEWAY_KEY, OTHER_KEY

WISH = UUID(int=7)
CODE = "134650000000000001"
TOKEN = "Ab3dEf6hIj9kLm2nOp5qRs8t"  # noqa: S105 - of a bill made up for this test
REQUEST = ChargeRequest(gateway_id=GATEWAY, wish=WISH, token=TOKEN, amount_fen=7_625, auth_code=CODE)
ANSWER = ChargeAnswer(wish=WISH, state=ChargeState.PAID, amount_fen=7_625, receipt="RC1", channel="wechat")
TRUSTED = {CLOUD_KEY.key_id: CLOUD_KEY.public_key}


def test_a_charge_comes_back_as_it_was_signed_and_never_shows_its_code() -> None:
    envelope = open_request(sign_charge(REQUEST, GATEWAY_KEY), Purpose.CHARGE)
    assert read_charge(verify(envelope, GATEWAY_KEY.public_key)) == REQUEST
    assert CODE not in repr(REQUEST)


@pytest.mark.parametrize("state", list(ChargeState))
def test_an_answer_of_a_trusted_cloud_comes_back(state: ChargeState) -> None:
    answer = ChargeAnswer(wish=WISH, state=state, reason="nothing_open")
    assert open_charge_answer(sign_charge_answer(answer, CLOUD_KEY), WISH, TRUSTED) == answer


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (sign_charge_answer(ANSWER, OTHER_KEY), Refusal.UNKNOWN_KEY),
        (sign_charge_answer(ANSWER, CLOUD_KEY)[:-1] + b"\x00", Refusal.BAD_SIGNATURE),
        (sign_charge(REQUEST, CLOUD_KEY), Refusal.MALFORMED),
        (sign(CLOUD_KEY, Purpose.CHARGE_ANSWER, encode([1, WISH.bytes, 9, 0, "", "", ""])), Refusal.UNREADABLE),
        (sign(CLOUD_KEY, Purpose.CHARGE_ANSWER, encode([2])), Refusal.UNKNOWN_VERSION),
        (sign_charge_answer(ChargeAnswer(wish=UUID(int=8), state=ChargeState.PAID), CLOUD_KEY), Refusal.UNREADABLE),
        (bytes(20_000), Refusal.OVERSIZE),
    ],
)
def test_an_answer_that_proves_nothing_is_refused(data: bytes, reason: Refusal) -> None:
    with pytest.raises(WireError) as refused:
        open_charge_answer(data, WISH, TRUSTED)
    assert refused.value.reason is reason


@pytest.mark.parametrize(
    "payload",
    [
        encode([1, GATEWAY.bytes, WISH.bytes, TOKEN, 1, "1" * 33]),
        encode([1, GATEWAY.bytes, WISH.bytes, TOKEN, -1, CODE]),
        encode([1, GATEWAY.bytes, b"", TOKEN, 1, CODE]),
        encode([1, GATEWAY.bytes, WISH.bytes, "x" * 300, 1, CODE]),
    ],
)
def test_a_charge_of_another_shape_is_refused(payload: bytes) -> None:
    with pytest.raises(WireError) as refused:
        read_charge(payload)
    assert refused.value.reason is Refusal.UNREADABLE
