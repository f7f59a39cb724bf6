"""The farm counts what it answers and refuses what is outside its map; the bars are held against the right round."""

from __future__ import annotations

import struct

from tests.bench.edge.farm import REGISTERS, Counts
from tests.bench.edge.figures import Figure, table
from tests.bench.edge.home import profile, site
from tests.bench.edge.probes import percentile


def test_each_register_shows_how_often_it_was_read() -> None:
    counts = Counts()
    assert counts.read(0, 1, 0, REGISTERS) == [1] * REGISTERS
    assert counts.read(0, 1, 2, 2) == [2, 2]
    assert counts.read(0, 2, 0, 1) == [1]
    assert counts.read(0, 1, 5, REGISTERS) is None
    assert counts.read(0, 99, 0, 1) is None


def test_the_best_round_is_judged_and_a_missed_bar_is_said() -> None:
    slow = Figure(name="cost", values=[3.0, 2.0], unit="%", most=2.0)
    fast = Figure(name="rate", values=[3.0, 2.0], unit="/s", least=4.0)
    assert slow.passed
    assert not fast.passed
    assert "FAIL" in table([fast])
    assert "FAIL" not in table([slow])


def test_the_farms_model_asks_all_registers_in_one_block() -> None:
    assert profile().count("function: 4, register:") == REGISTERS
    assert len(site(1)["devices"]) == 200
    assert struct.calcsize(">HHHBBHH") == 12


def test_a_percentile_is_a_value_that_was_seen() -> None:
    assert percentile([3.0, 1.0, 2.0], 50) == 2.0
    assert percentile([1.0], 99) == 1.0
