"""Units of time in blocks: how many units of each block a count of minutes is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

from common.tariff.session_model import Block, SessionRule, UnitRounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """The units charged in one block."""

    block: Block
    position: int
    units: Fraction


def charge_blocks(rule: SessionRule, blocks: Sequence[Block], before: Fraction, minutes: Fraction) -> list[Charged]:
    """Return the units that minutes add after the minutes before them, block by block, blocks without units left out.

    Units are counted on the running total, so a block that a stay fills in two stretches is charged once.
    """
    earlier = _units(rule, blocks, before) if before else [Fraction(0)] * len(blocks)
    total = _units(rule, blocks, before + minutes)
    return [
        Charged(block=block, position=position, units=now - then)
        for position, (block, then, now) in enumerate(zip(blocks, earlier, total, strict=True))
        if now > then
    ]


def _units(rule: SessionRule, blocks: Sequence[Block], minutes: Fraction) -> list[Fraction]:
    units: list[Fraction] = []
    for block in blocks:
        inside = minutes if block.minutes is None else min(minutes, Fraction(block.minutes))
        units.append(_round_units(rule, inside, block.every))
        minutes -= inside
    return units


def _round_units(rule: SessionRule, minutes: Fraction, every: int) -> Fraction:
    whole, rest = divmod(minutes, every)
    match rule.rounding:
        case UnitRounding.EXACT:
            return Fraction(minutes, every)
        case UnitRounding.COMPLETED:
            return Fraction(whole)
        case UnitRounding.STARTED:
            return Fraction(whole + (rest > rule.tail_minutes))
        case unknown:
            assert_never(unknown)
