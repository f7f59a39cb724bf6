"""Receipts come back as they were signed, and only a trusted cloud key makes one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.wire.cbor import encode
from common.wire.limits import RECEIPT_BYTES_MAX
from common.wire.receipt import (
    ItemOutcome,
    ItemVerdict,
    Receipt,
    Section,
    SequenceRange,
    open_receipt,
    sign_receipt,
)
from common.wire.refusal import Refusal, WireError
from common.wire.sequence import Outcome
from common.wire.signing import Purpose, sign
from tests.common.wire.builders import (
    CLOUD_KEY,
    GATEWAY,
    GATEWAY_KEY,
    NOW,
    NOW_MS,
    TRUSTED,
    calm,
    counts,
    ids,
    int64,
    texts,
)

receipts = st.builds(
    Receipt,
    gateway_id=ids,
    epoch=counts,
    sequence=counts,
    digest=st.binary(min_size=32, max_size=32),
    outcome=st.sampled_from(Outcome),
    refusal=st.none() | st.sampled_from(Refusal),
    items=st.lists(
        st.builds(
            ItemOutcome,
            section=st.sampled_from(Section),
            place=counts,
            verdict=st.sampled_from(ItemVerdict),
            reason=texts,
        ),
        max_size=4,
    ).map(tuple),
    contiguous=counts,
    asked=st.lists(st.builds(SequenceRange, first=counts, last=counts), max_size=3).map(tuple),
    pace_ms=counts,
    received_ms=int64,
)


def receipt(version: int = 1) -> Receipt:
    return Receipt(
        version=version,
        gateway_id=GATEWAY,
        epoch=77,
        sequence=1,
        digest=bytes(32),
        outcome=Outcome.STORED,
        contiguous=1,
        received_ms=NOW_MS + 1_500,
    )


@calm
@given(receipts)
def test_a_receipt_comes_back_as_it_was_signed(made: Receipt) -> None:
    assert open_receipt(sign_receipt(made, CLOUD_KEY), TRUSTED) == made


def test_a_receipt_tells_the_clouds_time() -> None:
    assert receipt().received_at == NOW + timedelta(milliseconds=1_500)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (sign_receipt(receipt(), GATEWAY_KEY), Refusal.UNKNOWN_KEY),
        (sign(CLOUD_KEY, Purpose.BUNDLE, b""), Refusal.MALFORMED),
        (sign(CLOUD_KEY, Purpose.RECEIPT, encode([1, 2])), Refusal.UNREADABLE),
        (sign_receipt(receipt(2), CLOUD_KEY), Refusal.UNKNOWN_VERSION),
        (sign_receipt(receipt(), CLOUD_KEY)[:-1] + b"\x00", Refusal.BAD_SIGNATURE),
        (bytes(RECEIPT_BYTES_MAX + 1), Refusal.OVERSIZE),
    ],
    ids=["a stranger's", "for another purpose", "of another shape", "of the future", "altered", "too large"],
)
def test_what_is_no_trusted_receipt_is_refused(data: bytes, reason: Refusal) -> None:
    with pytest.raises(WireError) as refused:
        open_receipt(data, TRUSTED)
    assert refused.value.reason is reason
