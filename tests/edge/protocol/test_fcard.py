"""FCARD frames: the maker's example byte for byte, escapes there and back, damage refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import RefusalError
from edge.protocol.fcard import NO_PASSWORD, READ_SERIAL, FcardFrame, describe_fcard, make_frame, open_door, parse_frame

EXAMPLE = "7e30303030303030303030303030303030ffffffff19883d90010200000000006d7e"


def test_the_makers_example_is_made_byte_for_byte() -> None:
    frame = FcardFrame(serial="0" * 16, password=NO_PASSWORD, number=0x19883D90, control=READ_SERIAL, data=b"")
    assert make_frame(frame).hex() == EXAMPLE
    assert describe_fcard(bytes.fromhex(EXAMPLE))["meaning"] == "read serial number"


@given(st.binary(max_size=40), st.integers(0, 2**32 - 1))
def test_every_frame_is_read_back(data: bytes, number: int) -> None:
    frame = FcardFrame(serial="A" * 16, password=b"\x7e\x7f\x01\x02", number=number, control=b"\x01\x02\x7e", data=data)
    assert parse_frame(make_frame(frame)) == frame


def test_a_door_is_a_byte_among_four() -> None:
    assert parse_frame(open_door("FC", NO_PASSWORD, 1, 2)).data == b"\x00\x01\x00\x00"


@pytest.mark.parametrize("at", range(1, 33))
def test_a_damaged_frame_is_refused(at: int) -> None:
    data = bytearray.fromhex(EXAMPLE)
    data[at] ^= 0x15
    with pytest.raises(RefusalError):
        parse_frame(bytes(data))


@pytest.mark.parametrize("data", [b"", b"\x7e\x7e", b"\x7e" + b"\x7f\x09" * 20 + b"\x7e", b"\x7e" * 40])
def test_bytes_that_are_no_frame_are_refused(data: bytes) -> None:
    with pytest.raises(RefusalError):
        parse_frame(data)
