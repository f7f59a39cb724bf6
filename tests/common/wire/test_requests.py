"""What a gateway asks is signed with the right key, or refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from common.wire.cbor import encode
from common.wire.limits import POLL_ANSWER_BYTES_MAX, POLL_BYTES_MAX
from common.wire.refusal import Refusal, WireError
from common.wire.requests import (
    NO_CHALLENGE,
    EnrolmentRequest,
    Poll,
    open_enrolment,
    open_request,
    pack_answer,
    read_poll,
    read_rotation,
    sign_enrolment,
    sign_poll,
    sign_rotation,
    unpack_answer,
)
from common.wire.signing import Purpose, sign, verify
from tests.common.wire.builders import GATEWAY, GATEWAY_KEY, OTHER_KEY

ENROLMENT = EnrolmentRequest(code="K7QF-29MX", public_key=GATEWAY_KEY.public_key, epoch=5, hardware="pi")
POLL = Poll(gateway_id=GATEWAY, challenge=NO_CHALLENGE, have={"site": 3}, wait_s=25)


def test_an_enrolment_proves_that_its_sender_holds_the_key() -> None:
    assert open_enrolment(sign_enrolment(ENROLMENT, GATEWAY_KEY)) == ENROLMENT
    with pytest.raises(WireError) as refused:
        open_enrolment(sign_enrolment(ENROLMENT, OTHER_KEY))
    assert refused.value.reason is Refusal.BAD_SIGNATURE


def test_a_poll_comes_back_as_it_was_signed() -> None:
    envelope = open_request(sign_poll(POLL, GATEWAY_KEY), Purpose.POLL)
    assert read_poll(verify(envelope, GATEWAY_KEY.public_key)) == POLL


def test_a_key_change_proves_both_keys() -> None:
    envelope = open_request(sign_rotation(GATEWAY, OTHER_KEY, GATEWAY_KEY), Purpose.ROTATION)
    change = read_rotation(verify(envelope, GATEWAY_KEY.public_key))
    assert (change.gateway_id, change.public_key) == (GATEWAY, OTHER_KEY.public_key)


def test_a_key_change_to_a_key_one_does_not_hold_is_refused() -> None:
    stolen = sign(GATEWAY_KEY, Purpose.ROTATION, GATEWAY.bytes)
    payload = encode([1, GATEWAY.bytes, OTHER_KEY.public_key, stolen])
    with pytest.raises(WireError) as refused:
        read_rotation(payload)
    assert refused.value.reason is Refusal.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (encode([2, GATEWAY.bytes, NO_CHALLENGE, {}, 1]), Refusal.UNKNOWN_VERSION),
        (encode([1, GATEWAY.bytes, NO_CHALLENGE, {}, 61]), Refusal.UNREADABLE),
        (encode([1, GATEWAY.bytes, b"", {}, 1]), Refusal.UNREADABLE),
        (encode([1, GATEWAY.bytes, NO_CHALLENGE, {"site": "3"}, 1]), Refusal.UNREADABLE),
        (encode([1, GATEWAY.bytes, NO_CHALLENGE, [], 1]), Refusal.UNREADABLE),
        (encode([]), Refusal.UNREADABLE),
        (b"\xff", Refusal.MALFORMED),
    ],
)
def test_a_poll_of_another_shape_is_refused(payload: bytes, reason: Refusal) -> None:
    with pytest.raises(WireError) as refused:
        read_poll(payload)
    assert refused.value.reason is reason


def test_an_answer_comes_back() -> None:
    answer = unpack_answer(pack_answer(b"c" * 16, [b"one", b"two"]))
    assert (answer.challenge, answer.bundles) == (b"c" * 16, (b"one", b"two"))


@pytest.mark.parametrize(
    ("read", "size"),
    [
        (lambda data: open_request(data, Purpose.POLL), POLL_BYTES_MAX),
        (unpack_answer, POLL_ANSWER_BYTES_MAX),
    ],
)
def test_what_is_too_large_is_refused_unread(read: Callable[[bytes], object], size: int) -> None:
    with pytest.raises(WireError) as refused:
        read(bytes(size + 1))
    assert refused.value.reason is Refusal.OVERSIZE
