"""Facts of premises in the scale that tariffs ask for. Pure.

The estate keeps every fact in thousandths; a count that is not whole is left out, so that a tariff that needs it
refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from cloud.estate.kinds import Fact
from common.measure.quantity import MILLI

Column: TypeAlias = npt.NDArray[np.int64]
_SCALED = {
    Fact.AREA: "area_milli",
    Fact.INNER_AREA: "inner_area_milli",
    Fact.COEFFICIENT: "coefficient_milli",
    Fact.FLOOR_WEIGHT: "floor_weight_milli",
}
_COUNTED = {Fact.PERSONS: "persons", Fact.HOUSEHOLDS: "households", Fact.VACANT: "vacant"}


def tariff_facts(facts: Mapping[Fact, int]) -> dict[str, int]:
    """Return facts of the estate under the keys by which tariffs name them."""
    scaled = {_SCALED[fact]: value for fact, value in facts.items() if fact in _SCALED}
    counted = {
        _COUNTED[fact]: value // MILLI for fact, value in facts.items() if fact in _COUNTED and value % MILLI == 0
    }
    return scaled | counted


def fact_columns(facts: Mapping[Fact, Column], absent: int) -> dict[str, Column]:
    """Return columns of facts under the keys by which tariffs name them; `absent` stands where nothing is known."""
    scaled = {_SCALED[fact]: column for fact, column in facts.items() if fact in _SCALED}
    counted = {
        _COUNTED[fact]: np.where((column == absent) | (column % MILLI != 0), absent, column // MILLI)
        for fact, column in facts.items()
        if fact in _COUNTED
    }
    return scaled | counted
