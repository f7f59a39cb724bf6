"""Identity cards: read to compare name and number, damaged frames refused, nothing personal in a description."""

from __future__ import annotations

import pytest

from common.errors import RefusalError
from edge.protocol.id_card import DONE, READ, command, describe_id_card, parse_identity, payload


def answer(name: str = "王小明", number: str = "11010119900307109X") -> bytes:
    text = f"{name:<15}1{'01'}{'19900307'}{'北京市东城区':<35}{number:<18}"
    block = text.encode("utf-16-le")
    return command(DONE + len(block).to_bytes(2) + b"\x00\x00" + block)


def test_name_and_number_are_read_and_never_described() -> None:
    read = parse_identity(answer())
    assert (read.name, read.number) == ("王小明", "11010119900307109X")
    assert "王小明" not in str(describe_id_card(answer()))
    assert describe_id_card(answer())["meaning"] == "done"


def test_a_command_is_framed_as_published() -> None:
    assert command(READ).hex() == "aaaaaa96690003300132"


@pytest.mark.parametrize("at", range(5, 10))
def test_a_damaged_frame_is_refused(at: int) -> None:
    broken = bytearray(command(READ))
    broken[at] ^= 1
    with pytest.raises(RefusalError):
        payload(bytes(broken))


def test_an_answer_without_a_card_and_one_without_a_number_are_refused() -> None:
    with pytest.raises(RefusalError, match="hold it flat"):
        parse_identity(command(bytes.fromhex("000041")))
    with pytest.raises(RefusalError, match="no number"):
        parse_identity(answer(number="123"))
