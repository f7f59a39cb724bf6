"""The sampling part of a site bundle: checked into wires, devices and a schedule, or refused with every fault.

A plan that is refused changes nothing; the last good one stays.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from common.errors import Fault, FaultsError
from common.ids import MeterId
from common.reading.reading import Quantity, Resource
from edge.driver.outcome import DeviceConfig, WireConfig, WireKind
from edge.sampling.schedule import MINUTES_PER_DAY, Schedule

WIRES_MAX = 64
DEVICES_MAX = 4_000
_CLOCK_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)


class _Wire(msgspec.Struct, kw_only=True):
    wire: str
    kind: WireKind
    address: str
    baud: int = 2400
    parity: str = "even"
    echo: bool = False


class _Device(msgspec.Struct, kw_only=True):
    meter_id: UUID
    serial: str
    wire: str
    profile: str
    address: str
    resource: Resource
    points: tuple[Quantity, ...]
    label: str = ""
    multiplier_milli: int = 1000
    parameters: dict[str, str] = msgspec.field(default_factory=dict)


class _DenseDay(msgspec.Struct, kw_only=True):
    date: date
    minutes: int


class _Schedule(msgspec.Struct, kw_only=True):
    daily_at: str = "00:00"
    dense_days: tuple[_DenseDay, ...] = ()


class _Site(msgspec.Struct, kw_only=True):
    zone: str
    wires: tuple[_Wire, ...] = ()
    devices: tuple[_Device, ...] = ()
    schedule: _Schedule = msgspec.field(default_factory=_Schedule)


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingPlan:
    """What is read, over which wires, and when."""

    schedule: Schedule
    wires: tuple[WireConfig, ...]
    devices: tuple[DeviceConfig, ...]

    def devices_on(self, wire: str) -> tuple[DeviceConfig, ...]:
        """Return the meters of one wire in the order of the bundle."""
        return tuple(device for device in self.devices if device.wire == wire)


def parse_plan(site: Mapping[str, Any]) -> SamplingPlan:
    """Return the plan of a site bundle's payload.

    Raises:
        FaultsError: with every fault of the payload, naming device and remedy.
    """
    try:
        document = msgspec.convert(dict(site), _Site)
    except msgspec.ValidationError as error:
        fault = Fault(where="site", what=str(error), remedy="mend the field and publish the bundle again")
        raise FaultsError("site bundle", [fault]) from error
    faults = list(_faults(document))
    if faults:
        raise FaultsError("site bundle", faults)
    return SamplingPlan(
        schedule=_schedule(document),
        wires=tuple(WireConfig(**msgspec.structs.asdict(wire)) for wire in document.wires),
        devices=tuple(_device(device) for device in document.devices),
    )


def _schedule(document: _Site) -> Schedule:
    hours, minutes = document.schedule.daily_at.split(":")
    return Schedule(
        zone=ZoneInfo(document.zone),
        daily_minute=int(hours) * 60 + int(minutes),
        dense={day.date: day.minutes for day in document.schedule.dense_days},
    )


def _device(device: _Device) -> DeviceConfig:
    return DeviceConfig(
        meter_id=MeterId(device.meter_id),
        serial=device.serial,
        wire=device.wire,
        profile=device.profile,
        address=device.address,
        resource=device.resource,
        points=device.points,
        label=device.label,
        multiplier_milli=device.multiplier_milli,
        parameters=device.parameters,
    )


def _faults(document: _Site) -> Iterator[Fault]:
    yield from _schedule_faults(document)
    if len(document.wires) > WIRES_MAX or len(document.devices) > DEVICES_MAX:
        what = f"{len(document.wires)} wires and {len(document.devices)} devices"
        yield Fault(where="site", what=what, remedy=f"a gateway takes {WIRES_MAX} wires and {DEVICES_MAX} devices")
    for name, count in Counter(wire.wire for wire in document.wires).items():
        if count > 1:
            yield Fault(where=f"wire {name}", what="is described twice", remedy="give each wire a name of its own")
    known = {wire.wire for wire in document.wires}
    addresses = Counter(_place(device) for device in document.devices)
    meters = Counter(device.meter_id for device in document.devices)
    for device in document.devices:
        where = f"device {device.serial} ({device.label or device.address})"
        if device.wire not in known:
            yield Fault(where=where, what=f"wire {device.wire!r} is unknown", remedy=f"name one of {sorted(known)}")
        if addresses[_place(device)] > 1:
            what = f"address {device.address} on wire {device.wire} is given twice"
            yield Fault(where=where, what=what, remedy="give each meter of a wire its own address")
        if meters[device.meter_id] > 1:
            yield Fault(where=where, what="its meter id is given twice", remedy="describe each meter once")
        if not device.points:
            yield Fault(where=where, what="is asked for no point", remedy="name at least one quantity")
        if device.multiplier_milli <= 0:
            yield Fault(where=where, what="has no positive multiplier", remedy="1000 means a multiplier of one")


def _place(device: _Device) -> tuple[str, str, str, str]:
    """Return where a device is; channels of one box are devices of their own."""
    return device.wire, device.profile, device.address, device.parameters.get("channel", "")


def _schedule_faults(document: _Site) -> Iterator[Fault]:
    try:
        ZoneInfo(document.zone)
    except (ZoneInfoNotFoundError, ValueError):
        yield Fault(where="zone", what=f"{document.zone!r} is unknown", remedy="name a zone such as Asia/Shanghai")
    if _CLOCK_TIME.fullmatch(document.schedule.daily_at) is None:
        what = f"{document.schedule.daily_at!r} is no time of day"
        yield Fault(where="schedule.daily_at", what=what, remedy="write hours and minutes such as 00:00")
    for day in document.schedule.dense_days:
        if not 1 <= day.minutes <= MINUTES_PER_DAY or MINUTES_PER_DAY % day.minutes:
            what = f"{day.minutes} minutes do not divide a day"
            yield Fault(where=f"schedule.dense_days {day.date}", what=what, remedy="give 15, 30 or 60")
