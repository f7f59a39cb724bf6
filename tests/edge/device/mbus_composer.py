"""Composes the telegrams of made-up M-Bus meters that the profiles record as `derived`.

The layouts say which records a model sends; serials and numbers are invented, so a composed telegram proves the
decoding of a layout and never a meter. The frames come from the simulated slave, which is written apart from the
gateway's own link layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.simulation.devices.mbus_slaves import Slave

LAYOUTS = Path(__file__).with_name("mbus_layouts.yaml")
VERSION = 1
ERROR_STATUS = 2
INTEGER_BYTES = {2: 2, 4: 4}
BCD_BYTES = {10: 2, 11: 3, 12: 4, 14: 6}


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeUp:
    """A meter that does not exist; `records` are DIB and VIB with the number behind them."""

    maker: str
    primary: int
    serial: str
    medium: int
    records: tuple[tuple[str, int], ...]
    status: int = 0
    tail: str = ""

    def request(self) -> bytes:
        """Return the question that the telegram answers (REQ_UD2 with the count bit set)."""
        return bytes([0x10, 0x7B, self.primary, (0x7B + self.primary) % 256, 0x16])

    def telegram(self, *, status: int | None = None) -> bytes:
        """Return its telegram, with another status where one is given."""
        body = b"".join(bytes.fromhex(head) + data_of(head, digits) for head, digits in self.records)
        slave = Slave(
            self.primary,
            bytes.fromhex(self.serial)[::-1] + maker_bytes(self.maker) + bytes([VERSION, self.medium]),
            [body + bytes.fromhex(self.tail)],
            status=self.status if status is None else status,
        )
        return slave.telegram(1)

    def flipped(self) -> bytes:
        """Return its telegram with the lowest bit of the last byte before the sum turned."""
        whole = self.telegram()
        return whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:]


def made_up_meters(model: str, maker: str) -> list[MadeUp]:
    """Return the made-up meters of a model; none for a model without a layout."""
    documents: dict[str, list[dict[str, Any]]] = yaml.safe_load(LAYOUTS.read_text(encoding="utf-8"))
    return [
        MadeUp(**{**one, "maker": maker, "records": tuple((head, digits) for head, digits in one["records"])})
        for one in documents.get(model, [])
    ]


def maker_bytes(letters: str) -> bytes:
    """Return the maker's code as sent: three letters of five bits, low byte first."""
    code = 0
    for letter in letters:
        code = code << 5 | ord(letter) - 64
    return code.to_bytes(2, "little")


def data_of(head: str, digits: int) -> bytes:
    """Return a number in the form that the first byte of its record says: an integer or decimal digits."""
    form = int(head[:2], 16) & 0x0F
    if form in INTEGER_BYTES:
        return digits.to_bytes(INTEGER_BYTES[form], "little", signed=True)
    return bytes.fromhex(f"{digits:0{2 * BCD_BYTES[form]}d}")[::-1]
