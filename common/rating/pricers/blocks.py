"""Units of time in blocks: how many units of each block a count of minutes is worth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

from common.tariff.session_model import Block, SessionRule, UnitRounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """The units charged in one block, after those charged in it `before`; `opens` is where the block begins.

    `opens` is counted in minutes of the running total.
    """

    block: Block
    position: int
    units: Fraction
    before: Fraction
    opens: int

    def instalments(self) -> Iterator[tuple[Fraction, Fraction]]:
        """Return each unit with the minute of the running total at which it falls due: its own first."""
        at, end = self.before, self.before + self.units
        while at < end:
            upto = min(Fraction(at // 1 + 1), end)
            yield self.opens + at * self.block.every, upto - at
            at = upto


def charge_blocks(rule: SessionRule, blocks: Sequence[Block], before: Fraction, minutes: Fraction) -> list[Charged]:
    """Return the units that minutes add after the minutes before them, block by block, blocks without units left out.

    Units are counted on the running total, so a block that a stay fills in two stretches is charged once.
    """
    earlier = _units(rule, blocks, before)
    total = _units(rule, blocks, before + minutes)
    opens = [sum(block.minutes or 0 for block in blocks[:index]) for index in range(len(blocks))]
    return [
        Charged(block=block, position=position, units=now - then, before=then, opens=start)
        for position, (block, then, now, start) in enumerate(zip(blocks, earlier, total, opens, strict=True))
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
