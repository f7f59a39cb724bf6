"""Taking some rows of a group takes them from every column alike."""

from __future__ import annotations

import numpy as np

from tests.cloud.rating.test_column_inputs import common, energy


def test_every_column_of_a_group_is_cut_to_the_same_rows() -> None:
    kept = energy().taken(np.array([False, True]))
    assert kept.rows.tolist() == [2]
    assert kept.fen.tolist() == [125_000]
    assert {name: len(column) for name, column in kept.request.items()} == dict.fromkeys(energy().request, 1)
    assert kept.quantity_milli is not None
    assert kept.registers is not None
    assert (kept.quantity_milli.tolist(), kept.registers.to_milli.tolist()) == ([2_500_000], [2_500_006])
    assert kept.meters is not None
    assert len(kept.meters) == 1


def test_a_group_without_meters_is_cut_as_well() -> None:
    assert common().taken(np.array([True, False])).fen.tolist() == [250]
