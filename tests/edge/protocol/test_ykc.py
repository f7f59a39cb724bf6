"""YKC frames: both orders of the CRC, every damaged byte refused, times and records there and back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import RefusalError
from edge.protocol.modbus_rtu import crc16
from edge.protocol.ykc import LOGIN, make_frame, make_time, missing_bytes, parse_frame, parse_record, parse_time

LOGGED_IN = bytes.fromhex("6822001900012023121200001001011047562e393572313300898604d11722d034860602874e")


@given(st.binary(max_size=200), st.integers(0, 0xFFFF))
def test_every_frame_is_read_back_in_either_order_of_its_crc(body: bytes, sequence: int) -> None:
    data = make_frame(LOGIN, body, sequence)
    assert missing_bytes(data) == 0
    frame = parse_frame(data)
    assert (frame.body, frame.sequence, frame.kind) == (body, sequence, LOGIN)
    assert parse_frame(data[:-2] + data[-2:][::-1]).body == body


@pytest.mark.parametrize("at", range(len(LOGGED_IN)))
def test_a_damaged_frame_is_refused(at: int) -> None:
    broken = bytearray(LOGGED_IN)
    broken[at] ^= 0x21
    with pytest.raises(RefusalError):
        parse_frame(bytes(broken))


def test_an_encrypted_frame_is_refused_with_its_remedy() -> None:
    content = bytes.fromhex("00190101") + LOGGED_IN[6:-2]
    with pytest.raises(RefusalError, match="switch encryption off"):
        parse_frame(bytes([0x68, len(content)]) + content + crc16(content))


def test_times_are_chinese_and_come_back() -> None:
    instant = datetime(2024, 12, 18, 9, 15, 30, tzinfo=UTC)
    assert make_time(instant).hex() == "30750f11120c18"
    assert parse_time(make_time(instant)) == instant
    with pytest.raises(RefusalError, match="clock"):
        parse_time(bytes(7))


def test_a_record_that_is_too_short_is_refused() -> None:
    with pytest.raises(RefusalError, match="update the pile"):
        parse_record(bytes(100))


def test_a_frame_says_what_it_lacks() -> None:
    assert missing_bytes(b"") is None
    assert missing_bytes(b"\x00") is None
    assert missing_bytes(b"\x68") == 1
    assert missing_bytes(LOGGED_IN[:10]) == len(LOGGED_IN) - 10
