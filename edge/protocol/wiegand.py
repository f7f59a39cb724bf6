"""Wiegand readers: bits to cards. Pure.

26 bits: even parity over the first 12 data bits, odd over the last 12; 8-bit facility, 16-bit number. 34 bits: the same
scheme over 16 and 16. The same card is printed in several ways, so the raw number is what is kept and compared.
"""

from __future__ import annotations

from dataclasses import dataclass

from common.errors import RefusalError

_FORMATS = {26: (8, 16), 34: (16, 16)}


@dataclass(frozen=True, slots=True, kw_only=True)
class WiegandCard:
    """A card as a reader gives it."""

    bits: str
    facility: int
    number: int

    @property
    def card(self) -> str:
        """Return the card as one decimal number, facility and number together."""
        return str(self.facility << 16 | self.number)


def parse_bits(bits: str) -> WiegandCard:
    """Return the card in some bits.

    Raises:
        RefusalError: they are of no known format, or a parity does not hold.
    """
    if len(bits) not in _FORMATS or set(bits) - {"0", "1"}:
        raise RefusalError(f"{len(bits)} bits are no Wiegand card; set the reader to 26 or 34 bits")
    even_holds, odd_holds = parities(bits)
    if not even_holds or not odd_holds:
        raise RefusalError("a parity of the card does not hold; hold it to the reader again, then look at the cable")
    facility_bits, number_bits = _FORMATS[len(bits)]
    data = bits[1:-1]
    return WiegandCard(
        bits=bits,
        facility=int(data[:facility_bits], 2),
        number=int(data[facility_bits : facility_bits + number_bits], 2),
    )


def parities(bits: str) -> tuple[bool, bool]:
    """Return whether the even parity of the first half and the odd one of the second hold."""
    half = len(bits) // 2
    return bits[:half].count("1") % 2 == 0, bits[half:].count("1") % 2 == 1


def make_bits(facility: int, number: int, length: int = 26) -> str:
    """Return the bits of a card."""
    facility_bits, number_bits = _FORMATS[length]
    data = f"{facility:0{facility_bits}b}{number:0{number_bits}b}"
    half = len(data) // 2
    even = data[:half].count("1") % 2
    odd = 1 - data[half:].count("1") % 2
    return f"{even}{data}{odd}"


def describe_wiegand(data: bytes) -> dict[str, object]:
    """Return what 26 or 34 bits, left-aligned in whole bytes, say.

    Raises:
        RefusalError: no card is in them.
    """
    length = 26 if len(data) == 4 else 34  # noqa: PLR2004 - bytes that hold 26 bits
    every = "".join(f"{byte:08b}" for byte in data)
    bits, rest = every[:length], every[length:]
    if len(bits) != length or "1" in rest:
        raise RefusalError("the bytes hold no 26 or 34 bits, left-aligned")
    card = parse_bits(bits)
    even_holds, odd_holds = parities(bits)
    width = 6 if length == 26 else 8  # noqa: PLR2004 - hex digits of the data bits
    return {
        "bits": bits,
        "facility": card.facility,
        "card": card.number,
        "card_hex": f"{int(bits[1:-1], 2):0{width}x}",
        "even_parity_ok": even_holds,
        "odd_parity_ok": odd_holds,
    }
