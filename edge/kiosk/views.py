"""What the pages show, as plain values; the composition root fills them from the other stages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry

from edge.kiosk.dues import DuesBook


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
    """Where the pages look; each is asked anew for every page."""

    wires: Callable[[], Sequence[WireView]]
    meters: Callable[[], Sequence[MeterView]]
    status: Callable[[], Awaitable[Mapping[str, Any]]]
    dues: Callable[[], DuesBook]
    read_now: Callable[[str], Awaitable[None]]
    enrol: Callable[[str], Awaitable[str]]
    gateway_name: Callable[[], str]
    registry: CollectorRegistry
