"""Tariff registers held against the total that came in the same answer.

Real meters round each register for itself (29.32 against 29.34 was seen), so a hundredth a tariff is allowed. What is
further off is no rounding: a register was reset, swapped or misread, and none of the tariffs may be billed until a
person has looked. The total stays.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from common.reading.reading import Quantity
from edge.device.model import ItemPlace, Point, Profile
from edge.device.plan import Block, ItemBlock
from edge.protocol.values import ValueRefusedError, decimal_text

TARIFFS = frozenset({Quantity.ENERGY_T1, Quantity.ENERGY_T2, Quantity.ENERGY_T3, Quantity.ENERGY_T4})
SLACK_PER_TARIFF = Fraction(1, 100)
_HUNDREDTHS = 100


def tariffs_off(profile: Profile, block: Block, value_of: Callable[[Point, int], Fraction]) -> str:
    """Return what is wrong with the tariffs of a block, or nothing; `value_of` decodes a point at an offset."""
    total = profile.tariff_total
    if total is None or not isinstance(block, ItemBlock) or not isinstance(total.place, ItemPlace):
        return ""
    if total.place.identifier != block.identifier:
        return ""
    parts = [
        (point, point.place.offset)
        for point in profile.points
        if point.quantity in TARIFFS
        and isinstance(point.place, ItemPlace)
        and point.place.identifier == block.identifier
    ]
    try:
        whole = value_of(total, total.place.offset)
        added = sum((value_of(point, offset) for point, offset in parts), Fraction(0))
    except ValueRefusedError:
        return ""  # said already, by the point that cannot be read
    off = abs(added - whole)
    if total.wrap is not None:
        off = min(off % total.wrap, total.wrap - off % total.wrap)
    if off <= SLACK_PER_TARIFF * len(parts):
        return ""
    return (
        f"the tariff registers add up to {_text(added)} {total.unit} and the total says {_text(whole)}; compare both "
        "with the dial and look whether a register was reset or the meter exchanged"
    )


def _text(value: Fraction) -> str:
    return decimal_text(round(value * _HUNDREDTHS), 2)
