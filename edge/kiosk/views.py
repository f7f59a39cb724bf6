"""What the pages show: the board, the store and the uplink turned into plain values with text ready to read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry

from common.clock import from_epoch_ms
from common.ids import MeterId
from common.measure.quantity import format_milli
from common.reading.reading import Quantity
from edge.buffer.store import Store
from edge.clock import EdgeClock
from edge.driver.board import Board, MeterFace
from edge.driver.outcome import DeviceConfig, ReadOutcome
from edge.kiosk.charging import ChargingDesk
from edge.kiosk.commissioning import Commissioning
from edge.kiosk.doors import AccessDesk
from edge.kiosk.dues import DuesBook
from edge.kiosk.parking import ParkingDesk
from edge.kiosk.paying import PayDesk

Units = Callable[[DeviceConfig], Mapping[Quantity, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PointView:
    """One decoded value with its unit, as text; `fault` says why there is none."""

    quantity: str
    value: str
    unit: str
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterView:
    """One meter on the technician's page."""

    meter_id: str
    label: str
    serial: str
    wire: str
    address: str
    profile: str
    points: tuple[PointView, ...]
    read_at: datetime | None
    stored_slot: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WireView:
    """One wire on the technician's page."""

    wire: str
    kind: str
    address: str
    meters: int
    failing: int
    completed: datetime | None
    counters: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What the pages look at, anew for every page.

    `uplink` tells how the link to the cloud is doing; `enrol` takes a one-time code and returns the name given.
    """

    board: Board
    store: Store
    clock: EdgeClock
    units: Units
    registry: CollectorRegistry
    dues: Callable[[], DuesBook]
    parking: ParkingDesk
    charging: ChargingDesk
    access: AccessDesk
    pay: PayDesk
    commissioning: Commissioning
    uplink: Callable[[], Mapping[str, Any]]
    gateway_name: Callable[[], str]
    read_now: Callable[[MeterId], Awaitable[object]]
    enrol: Callable[[str], Awaitable[str]]


def wire_views(sources: Sources) -> tuple[WireView, ...]:
    """Return the wires of the plan in force."""
    return tuple(
        WireView(
            wire=face.config.wire,
            kind=face.config.kind.value,
            address=face.config.address,
            meters=face.meters,
            failing=face.failing,
            completed=face.completed,
            counters=asdict(face.stats),
        )
        for face in sources.board.wires.values()
    )


def meter_views(sources: Sources) -> tuple[MeterView, ...]:
    """Return the meters of the plan in force with what they last answered."""
    return tuple(_meter_view(sources, face) for face in sources.board.meters.values())


async def status(sources: Sources) -> dict[str, Any]:
    """Return how the gateway is doing, for people and for whoever paces its clock."""
    store = await sources.store.status()
    look = sources.clock.look()
    completed = sources.board.completed()
    return {
        "gateway": sources.gateway_name(),
        "now": sources.clock.now().isoformat(),
        "clock": look.source.value,
        "completed_slot": None if completed is None else completed.isoformat(),
        "readings_stored": sources.board.readings_stored,
        "gaps_said": sources.board.gaps_said,
        "wires": {
            view.wire: {
                "completed_slot": None if view.completed is None else view.completed.isoformat(),
                "meters": view.meters,
                "failing": view.failing,
            }
            for view in wire_views(sources)
        },
        "parking": dict(sources.parking.occupancy()),
        "store": asdict(store),
        "uplink": dict(sources.uplink()),
    }


def _meter_view(sources: Sources, face: MeterFace) -> MeterView:
    device = face.device
    stored_ms = sources.store.cursor(device.meter_id)
    return MeterView(
        meter_id=str(device.meter_id),
        label=device.label,
        serial=device.serial,
        wire=device.wire,
        address=device.address,
        profile=device.profile,
        points=tuple(points_of(device, face.outcome, sources.units)),
        read_at=face.read_at,
        stored_slot=None if stored_ms is None else from_epoch_ms(stored_ms),
    )


def points_of(device: DeviceConfig, outcome: ReadOutcome | None, units: Units) -> Iterator[PointView]:
    """Yield what a meter last answered, value by value and fault by fault."""
    if outcome is None:
        return
    named = units(device)
    for point in outcome.points:
        value = format_milli(point.value_milli)
        yield PointView(quantity=point.quantity.value, value=value, unit=named[point.quantity])
    for failure in outcome.failures:
        for quantity in failure.points:
            yield PointView(quantity=quantity.value, value="", unit="", fault=failure.detail or failure.kind.value)
