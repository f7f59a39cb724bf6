"""Small builders for the tests of the driver: the shipped device models, devices, a clock that stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from common.ids import MeterId
from common.reading.reading import Quantity, Resource
from edge.device.catalogue import Catalogue, load_catalogue
from edge.driver.outcome import DeviceConfig, WireConfig, WireKind

PROFILES = Path(__file__).parents[3] / "firmware-config" / "profiles"
NOON = datetime(2026, 2, 3, 4, 0, tzinfo=UTC)
_CATALOGUE = load_catalogue(PROFILES)


@dataclass(slots=True)
class StandingClock:
    """A business clock set by hand."""

    at: datetime = NOON

    def now(self) -> datetime:
        return self.at


def catalogue() -> Catalogue:
    return _CATALOGUE


def wire_config(kind: WireKind = WireKind.SERIAL, address: str = "memory", **changes: object) -> WireConfig:
    settings: dict[str, object] = {"wire": "w1", "kind": kind, "address": address, "baud": 9600, **changes}
    return WireConfig(**settings)  # type: ignore[arg-type]


def device(
    number: int, profile: str, address: str, *points: Quantity, wire: str = "w1", serial: str = ""
) -> DeviceConfig:
    return DeviceConfig(
        meter_id=MeterId(UUID(int=number)),
        serial=serial or f"S{number}",
        wire=wire,
        profile=profile,
        address=address,
        resource=Resource.ELECTRICITY,
        points=points or (Quantity.ENERGY_FORWARD,),
    )
