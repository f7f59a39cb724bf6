"""Readings become columns and rows, and blocks hold exactly the columns they were made of."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.wire.batch import Column
from common.wire.cbor import decode, encode, pack_integers
from common.wire.columns import BLOCKS, LATE_MS_MAX, Sample, arrange, coarse, from_blocks, to_blocks
from common.wire.limits import SLOTS_MAX
from common.wire.refusal import Refusal, WireError
from common.wire.stamp import ClockSource
from tests.common.wire.builders import NOW_MS, QUARTER_MS, calm, sample, samples, stamp


def told(made: list[Sample]) -> list[tuple[int, int, int, int]]:
    """Return what columns and rows say, as plain readings in order."""
    columns, rows = arrange(made)
    said = [
        (column.series, column.start_ms + place * column.step_ms, value, dict(column.flags).get(place, 0))
        for column in columns
        for place, value in enumerate(column.values)
        if value is not None
    ]
    said += [(row.series, row.slot_ms, row.value_milli, row.quality) for row in rows]
    return sorted(said)


@calm
@given(st.lists(samples, max_size=60))
def test_every_reading_is_told_exactly_once(made: list[Sample]) -> None:
    assert told(made) == sorted((s.series, s.slot_ms, s.value_milli, s.quality) for s in made)


@calm
@given(st.lists(samples, max_size=60))
def test_blocks_give_back_the_columns_they_were_made_of(made: list[Sample]) -> None:
    columns, _ = arrange(made)
    packed = encode(BLOCKS.pack(to_blocks(columns, [0, 0, 1, 1])))
    assert from_blocks(BLOCKS.unpack(decode(packed, "blocks"), "blocks"), 4) == columns


def test_a_column_states_within_which_time_its_readings_were_taken() -> None:
    columns, rows = arrange([sample(slot=0, late_ms=100), sample(slot=1, late_ms=3_000)])
    assert rows == ()
    assert columns[0].within_ms == 4_096
    assert columns[0].step_ms == QUARTER_MS


def test_a_missed_slot_is_a_hole_and_not_a_zero() -> None:
    columns, _ = arrange([sample(slot=0, value=10), sample(slot=1, value=20), sample(slot=3, value=40)])
    assert columns[0].values == (10, 20, None, 40)


@pytest.mark.parametrize(
    "odd",
    [
        sample(slot=0, value=11),
        sample(slot=1, late_ms=LATE_MS_MAX + 1),
        sample(slot=1, late_ms=-1),
        sample(slot=1, value=2**62),
        Sample(
            series=0, slot_ms=NOW_MS + 1, value_milli=1, quality=0, stamp=stamp(NOW_MS + 1, source=ClockSource.BOUNDED)
        ),
    ],
    ids=["a slot twice", "too late", "before its slot", "beyond the range", "no trusted clock"],
)
def test_what_does_not_fit_the_grid_keeps_its_own_stamp_in_a_row(odd: Sample) -> None:
    columns, rows = arrange([sample(slot=0), odd])
    assert [column.values for column in columns] == [(1000,)]
    assert [(row.value_milli, row.stamp) for row in rows] == [(odd.value_milli, odd.stamp)]


def test_uneven_slots_become_rows() -> None:
    uneven = [sample(slot=0), sample(slot=2), sample(slot=7)]
    columns, rows = arrange(uneven)
    assert columns == ()
    assert len(rows) == 3


def test_more_holes_than_readings_become_rows() -> None:
    columns, rows = arrange([sample(slot=0), sample(slot=1), sample(slot=40)])
    assert columns == ()
    assert len(rows) == 3


@pytest.mark.parametrize(("bound", "coarser"), [(0, 0), (1, 1), (2, 4), (4, 4), (5, 16), (90_000, 262_144)])
def test_bounds_are_rounded_up_to_powers_of_four(bound: int, coarser: int) -> None:
    assert coarse(bound) == coarser


def block(**changes: Any) -> list[Any]:
    """Return the wire form of two columns of three readings, with fields changed."""
    fields: dict[str, Any] = {
        "start_ms": NOW_MS,
        "step_ms": QUARTER_MS,
        "count": 3,
        "boot_no": 1,
        "source": 0,
        "uncertainty_ms": 1,
        "within_ms": 1,
        "divisor": 10,
        "series": pack_integers([0, 1], signed=True),
        "firsts": pack_integers([5, 6], signed=True),
        "deltas": pack_integers([1, 1, 2, 2], signed=True),
        "holes": pack_integers([], signed=False),
        "flags": pack_integers([], signed=False),
    }
    return list({**fields, **changes}.values())


def test_a_sound_block_is_read() -> None:
    columns = from_blocks(BLOCKS.unpack([block()], "blocks"), 2)
    assert [column.values for column in columns] == [(50, 60, 70), (60, 80, 100)]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"deltas": pack_integers([1, 1, 2], signed=True)}, "do not fit"),
        ({"firsts": pack_integers([5], signed=True)}, "do not fit"),
        ({"series": pack_integers([0, 2], signed=True)}, "names a series"),
        ({"series": pack_integers([-1, 1], signed=True)}, "names a series"),
        ({"step_ms": 0}, "no step"),
        ({"holes": pack_integers([0], signed=False)}, "broken holes"),
        ({"flags": pack_integers([0, 0], signed=False)}, "broken holes or flags"),
        ({"holes": pack_integers([2, 1], signed=False)}, "outside its columns"),
        ({"flags": pack_integers([0, 3, 1], signed=False)}, "outside its columns"),
        ({"holes": pack_integers([0, 0], signed=False)}, "begins or ends"),
        ({"holes": pack_integers([0, 2], signed=False)}, "begins or ends"),
        ({"firsts": pack_integers([2**61, 6], signed=True)}, "outside the range"),
        ({"count": SLOTS_MAX + 1}, "count"),
        ({"count": 0}, "count"),
        ({"divisor": 0}, "divisor"),
        ({"source": 5}, "source"),
        ({"deltas": b"\x01\x01\x02\x02"}, "typed array"),
        ({"boot_no": "1"}, "boot_no"),
    ],
)
def test_a_block_whose_parts_do_not_fit_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(WireError, match=words) as refused:
        from_blocks(BLOCKS.unpack([block(**changes)], "blocks"), 2)
    assert refused.value.reason is Refusal.UNREADABLE


def test_blocks_that_together_exceed_the_bound_of_a_batch_are_refused() -> None:
    wide = block(
        count=1,
        step_ms=0,
        series=pack_integers([0] * 16_000, signed=True),
        firsts=pack_integers([1] * 16_000, signed=True),
        deltas=pack_integers([], signed=True),
    )
    with pytest.raises(WireError, match="above 200000 readings"):
        from_blocks(BLOCKS.unpack([wide] * 13, "blocks"), 1)


def test_a_column_of_many_readings_has_a_step() -> None:
    with pytest.raises(Exception, match="no step"):
        Column(
            series=0,
            start_ms=0,
            step_ms=0,
            values=(1, 2),
            boot_no=1,
            source=ClockSource.RTC,
            uncertainty_ms=0,
            within_ms=0,
        )
