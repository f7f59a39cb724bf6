"""Units of blocks: which blocks a stretch of minutes adds to, and when each unit falls due."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from common.rating.pricers.blocks import Charged, charge_blocks
from common.tariff.document import parse_tariff
from common.tariff.session_model import Block, SessionRule, UnitRounding
from tests.common.tariff.builders import body

HOUR = Block(minutes=60, every=60, price_micro=9_000_000)
REST = Block(minutes=None, every=60, price_micro=1_000_000)


def rule(rounding: UnitRounding = UnitRounding.STARTED) -> SessionRule:
    read = parse_tariff(body(session={"blocks": [{"every": 60, "price": "1"}]})).plans[0].rule
    assert isinstance(read, SessionRule)
    return replace(read, rounding=rounding)


def charged(before: int, minutes: int, rounding: UnitRounding = UnitRounding.STARTED) -> list[tuple[int, int]]:
    """Return position and units of each block charged."""
    found = charge_blocks(rule(rounding), [HOUR, REST], Fraction(before), Fraction(minutes))
    return [(one.position, int(one.units)) for one in found]


def test_a_block_that_gets_no_unit_is_left_out() -> None:
    assert charged(0, 30) == [(0, 1)]
    assert charged(0, 90) == [(0, 1), (1, 1)]
    assert charged(60, 61) == [(1, 2)]
    assert charged(30, 30) == []
    assert charged(0, 59, UnitRounding.COMPLETED) == []


def test_units_fall_due_where_they_begin_and_a_begun_one_is_finished_first() -> None:
    half = Fraction(1, 2)
    block = Charged(block=REST, position=1, units=Fraction(2), before=1 + half, opens=60)
    assert [(str(at), str(units)) for at, units in block.instalments()] == [
        ("150", "1/2"),
        ("180", "1"),
        ("240", "1/2"),
    ]


def test_a_block_opens_where_those_before_it_end() -> None:
    third = [HOUR, replace(HOUR, minutes=120), REST]
    found = charge_blocks(rule(), third, Fraction(0), Fraction(200))
    assert [(one.opens, int(one.units), int(one.before)) for one in found] == [(0, 1, 0), (60, 2, 0), (180, 1, 0)]
