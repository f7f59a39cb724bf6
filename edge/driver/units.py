"""The unit of each quantity of a meter: its profile's, and where no profile holds (a recording) the usual one."""

from __future__ import annotations

from collections.abc import Mapping

from common.reading.reading import Quantity
from edge.device.catalogue import Catalogue
from edge.device.model import QUANTITY_UNITS
from edge.driver.outcome import DeviceConfig


class UnitBook:
    """Looks units up, worked out once for each model."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._known: dict[str, Mapping[Quantity, str]] = {}

    def __call__(self, device: DeviceConfig) -> Mapping[Quantity, str]:
        """Return the unit of each quantity of a meter."""
        if device.profile not in self._known:
            usual = {quantity: min(units) for quantity, units in QUANTITY_UNITS.items()}
            profile = self._catalogue.profiles.get(device.profile)
            points = () if profile is None else profile.points
            self._known[device.profile] = usual | {point.quantity: point.unit for point in points}
        return self._known[device.profile]
