"""UHPPOTE messages: the published ones are made byte for byte, wrong ones are refused."""

from __future__ import annotations

from datetime import date

import pytest

from common.errors import RefusalError
from edge.protocol.uhppote import (
    BoardCard,
    delete_card,
    describe_uhppote,
    open_door,
    parse_event,
    put_card,
    set_listener,
)

BOARD = 405419896
PUT = "1750000078372a18a07a99002025010120251231010011013f420f00".ljust(128, "0")
LISTEN = "1790000078372a18c0a8016461ea0f".ljust(128, "0")


def test_the_published_messages_are_made_byte_for_byte() -> None:
    card = BoardCard(
        card=10058400,
        valid_from=date(2025, 1, 1),
        valid_to=date(2025, 12, 31),
        doors={1: 1, 3: 17, 4: 1},
        pin=999999,
    )
    assert put_card(BOARD, card).hex() == PUT
    assert set_listener(BOARD, "192.168.1.100", 60001, 15).hex() == LISTEN


def test_other_commands_say_what_they_are() -> None:
    assert describe_uhppote(open_door(BOARD, 3))["door"] == 3
    assert describe_uhppote(delete_card(BOARD, 99))["card"] == 99


@pytest.mark.parametrize("data", [b"", b"\x17" * 63, b"\x18" + bytes(63)])
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    with pytest.raises(RefusalError):
        describe_uhppote(data)


def test_a_date_that_is_none_and_an_answer_that_is_no_event_are_refused() -> None:
    broken = bytearray(bytes.fromhex(PUT))
    broken[14] = 0x99
    with pytest.raises(RefusalError):
        describe_uhppote(bytes(broken))
    with pytest.raises(RefusalError, match="no event"):
        parse_event(open_door(BOARD, 1))
