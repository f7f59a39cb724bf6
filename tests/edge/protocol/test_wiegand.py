"""Wiegand cards: both parities hold or the card is refused."""

from __future__ import annotations

import pytest

from common.errors import RefusalError
from edge.protocol.wiegand import describe_wiegand, make_bits, parse_bits

BITS = "00000000111011010111110101"


def test_the_published_card_is_read_and_made() -> None:
    card = parse_bits(BITS)
    assert (card.facility, card.number, card.card) == (1, 56058, str(1 << 16 | 56058))
    assert make_bits(1, 56058) == BITS


@pytest.mark.parametrize("length", [26, 34])
@pytest.mark.parametrize("at", range(34))
def test_one_wrong_bit_refuses_the_card(length: int, at: int) -> None:
    bits = make_bits(200, 12345, length)
    if at < length:
        wrong = bits[:at] + str(1 - int(bits[at])) + bits[at + 1 :]
        with pytest.raises(RefusalError, match="parity"):
            parse_bits(wrong)


@pytest.mark.parametrize("bits", ["", "01" * 12, "2" * 26])
def test_other_lengths_are_no_card(bits: str) -> None:
    with pytest.raises(RefusalError, match="no Wiegand card"):
        parse_bits(bits)


@pytest.mark.parametrize("data", [b"", b"\x00", b"\xff" * 4, b"\x00" * 9])
def test_bytes_that_hold_no_card_are_refused(data: bytes) -> None:
    with pytest.raises(RefusalError):
        describe_wiegand(data)
