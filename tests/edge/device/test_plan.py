"""The read plan: few questions, never across a gap that a meter refuses, and room to change a question's length."""

from __future__ import annotations

from common.reading.reading import Quantity
from edge.device.plan import ItemBlock, RegisterBlock, read_plan
from tests.edge.driver.builders import catalogue


def test_neighbouring_registers_are_one_question() -> None:
    profile = catalogue().profile("acrel-dtsd1352")
    wanted = (Quantity.ENERGY_FORWARD, Quantity.ENERGY_T1, Quantity.ENERGY_T4)

    (block,) = read_plan(profile, wanted)

    assert isinstance(block, RegisterBlock)
    assert (block.function, block.start, block.count) == (3, 0x0002, 10)
    assert [(field.point.id, field.offset) for field in block.fields] == [
        ("energy_t1", 0),
        ("energy_t4", 12),
        ("energy_forward", 16),
    ]


def test_a_block_never_crosses_into_another_readable_range() -> None:
    profile = catalogue().profile("eastron-sdm120")

    blocks = read_plan(profile, (Quantity.ENERGY_FORWARD, Quantity.VOLTAGE, Quantity.CURRENT))

    assert [(block.start, block.count) for block in blocks if isinstance(block, RegisterBlock)] == [(0, 8), (0x48, 2)]


def test_a_question_can_be_stretched_by_what_the_meter_allows_and_only_inside_the_range() -> None:
    eastron, abb = catalogue().profile("eastron-sdm120"), catalogue().profile("abb-b23")

    (energy,) = read_plan(eastron, (Quantity.ENERGY_FORWARD,))
    (reverse,) = read_plan(abb, (Quantity.ENERGY_REVERSE,))

    assert isinstance(energy, RegisterBlock)
    assert isinstance(reverse, RegisterBlock)
    assert (energy.count, energy.stretched_count) == (2, 4)
    assert (reverse.count, reverse.stretched_count) == (4, 4)


def test_a_wide_gap_makes_two_questions() -> None:
    profile = catalogue().profile("orno-we-516")

    blocks = read_plan(profile, (Quantity.ENERGY_T1, Quantity.ENERGY_T2))

    assert len(blocks) == 2


def test_points_of_one_identifier_share_its_question() -> None:
    profile = catalogue().profile("dlt645-2007-single-phase")

    blocks = read_plan(profile, (Quantity.ENERGY_FORWARD, Quantity.ENERGY_T1, Quantity.ENERGY_T3))

    assert [(block.identifier, len(block.fields)) for block in blocks if isinstance(block, ItemBlock)] == [
        ("00010000", 1),
        ("0001ff00", 2),
    ]


def test_what_a_model_lacks_is_left_out() -> None:
    assert read_plan(catalogue().profile("cjt188-water"), (Quantity.ENERGY_FORWARD,)) == ()
