"""Facts of premises in the scale that tariffs ask for. Pure.

The estate keeps every fact in thousandths; a count that is not whole is left out, so that a tariff that needs it
refuses.
"""

from __future__ import annotations

from collections.abc import Mapping

from cloud.estate.kinds import Fact
from common.measure.quantity import MILLI

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
