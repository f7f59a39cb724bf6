"""One way to sign, none to talk a verifier out of it, and an independent library reads the same bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import RefusalError
from common.wire.cbor import encode
from common.wire.refusal import Refusal, WireError
from common.wire.signing import Purpose, SigningKey, key_id_of, open_envelope, sign, verify
from tests.common.wire.builders import GATEWAY_KEY, OTHER_KEY, calm

ORACLE = json.loads((Path(__file__).parent / "oracle_signatures.json").read_text(encoding="utf-8"))


def read(data: bytes, key: SigningKey = GATEWAY_KEY, purpose: Purpose = Purpose.BATCH) -> bytes:
    return verify(open_envelope(data, purpose), key.public_key)


@calm
@given(st.binary(max_size=100), st.sampled_from(Purpose))
def test_what_was_signed_is_read(payload: bytes, purpose: Purpose) -> None:
    signed = sign(GATEWAY_KEY, purpose, payload)
    envelope = open_envelope(signed, purpose)
    assert envelope.key_id == GATEWAY_KEY.key_id
    assert verify(envelope, GATEWAY_KEY.public_key) == payload


@pytest.mark.parametrize("case", ORACLE["signatures"], ids=lambda case: str(case["purpose"]))
def test_an_independent_library_signs_the_same_bytes(case: dict[str, str]) -> None:
    key = SigningKey(bytes.fromhex(case["seed"]))
    signed = sign(key, Purpose(case["purpose"]), bytes.fromhex(case["payload"]))
    assert signed.hex() == case["signed"]


@calm
@given(st.integers(0, 10_000), st.integers(0, 7))
def test_any_flipped_bit_is_refused(place: int, bit: int) -> None:
    signed = bytearray(sign(GATEWAY_KEY, Purpose.BATCH, b"sixteen pay load"))
    signed[place % len(signed)] ^= 1 << bit
    with pytest.raises(WireError):
        read(bytes(signed))


def test_a_signature_of_another_key_is_refused() -> None:
    signed = sign(OTHER_KEY, Purpose.BATCH, b"x")
    with pytest.raises(WireError) as refused:
        read(signed, GATEWAY_KEY)
    assert refused.value.reason is Refusal.BAD_SIGNATURE


def test_a_signature_that_only_claims_the_key_is_refused() -> None:
    parts = cbor2.loads(sign(GATEWAY_KEY, Purpose.BATCH, b"x")).value
    forged = cbor2.loads(sign(OTHER_KEY, Purpose.BATCH, b"x")).value
    with pytest.raises(WireError) as refused:
        read(encode(cbor2.CBORTag(18, [parts[0], {}, b"x", forged[3]])))
    assert refused.value.reason is Refusal.BAD_SIGNATURE


@pytest.mark.parametrize("other", [purpose for purpose in Purpose if purpose is not Purpose.BATCH])
def test_a_signature_for_one_purpose_is_worth_nothing_for_another(other: Purpose) -> None:
    with pytest.raises(WireError) as refused:
        read(sign(GATEWAY_KEY, other, b"x"))
    assert refused.value.reason is Refusal.MALFORMED


def envelope(**changes: Any) -> bytes:
    """Return an envelope put together by hand, with parts changed; the signature is honest for the bytes given."""
    header: Any = {1: -8, 4: GATEWAY_KEY.key_id, 16: Purpose.BATCH.value, **changes.get("header", {})}
    protected = changes.get("protected", encode(header))
    payload = changes.get("payload", b"x")
    signature = GATEWAY_KEY.sign(encode(["Signature1", protected, b"", payload]))
    parts = [protected, changes.get("unprotected", {}), payload, changes.get("signature", signature)]
    return encode(cbor2.CBORTag(changes.get("tag", 18), parts + changes.get("more", [])))


def test_the_envelope_put_together_by_hand_is_the_one_that_is_read() -> None:
    assert read(envelope()) == b"x"


@pytest.mark.parametrize(
    "changes",
    [
        {"header": {1: -7}},
        {"header": {1: -19}},
        {"header": {4: b"short"}},
        {"header": {4: "text"}},
        {"header": {5: b""}},
        {"protected": b""},
        {"protected": encode([1])},
        {"unprotected": {1: -8}},
        {"payload": None},
        {"signature": bytes(63)},
        {"tag": 98},
        {"more": [b""]},
    ],
    ids=str,
)
def test_any_other_header_or_shape_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(WireError) as refused:
        read(envelope(**changes))
    assert refused.value.reason is Refusal.MALFORMED


def test_a_key_shows_its_public_half_only() -> None:
    seed = bytes(range(32))
    key = SigningKey(seed)
    assert seed.hex() not in repr(key)
    assert key.key_id == key_id_of(key.public_key)
    assert key.key_id.hex() in repr(key)


def test_a_key_file_gives_the_same_key_back() -> None:
    key = SigningKey.generate(lambda count: b"\x07" * count)
    assert SigningKey.from_seed_text(key.seed_text()).public_key == key.public_key


@pytest.mark.parametrize("text", ["", "nonsense", "gatehouse-ed25519-v1 zz", "gatehouse-ed25519-v1 " + "ab" * 31])
def test_a_damaged_key_file_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(RefusalError, match="key file is damaged") as refused:
        SigningKey.from_seed_text(text)
    assert not text or text not in str(refused.value)
