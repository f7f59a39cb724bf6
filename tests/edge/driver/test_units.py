"""Units of quantities: the profile's own, and the usual ones where no profile holds."""

from __future__ import annotations

from dataclasses import replace

from common.reading.reading import Quantity
from edge.driver.units import UnitBook
from tests.edge.driver.builders import catalogue
from tests.edge.driver.test_wire_book import device


def test_a_profile_gives_its_units_and_a_recording_the_usual_ones() -> None:
    units = UnitBook(catalogue())
    assert units(device("3"))[Quantity.POWER] == "kW"
    recorded = replace(device("3"), profile="recorded")
    assert units(recorded)[Quantity.ENERGY_FORWARD] == "kWh"
    assert units(recorded) is units(recorded)
