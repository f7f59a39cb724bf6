"""The demo's site, composed: the hand-written site file plus its people, meters, wires and the devices behind them.

From one seed come the same people, meters, loads and faults. Three files are written: the whole site for the cloud,
the description of the live devices, and one recorded series per gateway for the meters that are not polled live.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from cloud.cli.site_file import Community, Premises, expand
from common.measure.quantity import format_milli
from tests.simulation.devices.loads import Load
from tests.simulation.people import Resident, draw, residents_of

DEMO = Path(__file__).resolve().parents[2] / "firmware-config" / "sites" / "demo"
ZONE = ZoneInfo("Asia/Shanghai")
ELECTRICITY, WATER = "electricity", "water"
_MODEL = {  # wire kind and resource -> profile, kind of simulated line
    ("modbus-tcp", ELECTRICITY): ("eastron-sdm120", "modbus-tcp"),
    ("serial", ELECTRICITY): ("chint-ddsu666", "modbus-rtu-pty"),
    ("serial-tcp", ELECTRICITY): ("dlt645-2007-single-phase", "serial-tcp"),
    ("serial-tcp", WATER): ("cjt188-water", "serial-tcp"),
}
_DAILY_MILLI = {
    ("residence", ELECTRICITY): 8_000,
    ("shop", ELECTRICITY): 31_000,
    ("residence", WATER): 420,
    ("shop", WATER): 700,
}
_PUBLIC_DAILY_MILLI = 64_000
Wrong = Mapping[tuple[str, date], int]
Slots = dict[str, Iterator[tuple[str, str, int]]]
_QUANTITY = {ELECTRICITY: "energy_forward", WATER: "volume"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoMeter:
    """One meter of the demo with the load behind it."""

    serial: str
    community: str
    gateway: str
    premises: str | None
    resource: str
    wire: str
    kind: str
    profile: str
    address: str
    start_milli: int
    daily_milli: int
    shape: str

    @property
    def live(self) -> bool:
        """Return whether the meter is polled over a real wire."""
        return self.kind != "recorded"


@dataclass(slots=True, kw_only=True)
class DemoSite:
    """The template, its premises and its meters; `faults` and `visits` are the story's."""

    template: dict[str, Any]
    seed: int
    premises: list[Premises] = field(default_factory=list)
    meters: list[DemoMeter] = field(default_factory=list)

    @property
    def epoch(self) -> datetime:
        """Return the local midnight before the story starts, in UTC."""
        starts = date.fromisoformat(self.template["starts"])
        return datetime.combine(starts, time(), tzinfo=ZONE).astimezone(UTC) - timedelta(days=1)

    def meter_of(self, community: str, premises: str, resource: str) -> DemoMeter:
        """Return the meter behind a door."""
        return next(
            meter
            for meter in self.meters
            if (meter.community, meter.premises, meter.resource) == (community, premises, resource)
        )

    def drivers(self, community: str) -> list[tuple[Premises, Resident]]:
        """Return the payers of a community who have a plate, with their doors."""
        return [
            (door, person)
            for door in self.premises
            if door.community == community and door.kind == "residence"
            for person in residents_of(self.seed, community, door.label)
            if person.plate is not None
        ]

    def load(self, meter: DemoMeter) -> Load:
        """Return what the meter shows at any instant."""
        return Load(
            seed=self.seed,
            serial=meter.serial,
            epoch=self.epoch,
            start_milli=meter.start_milli,
            daily_milli=meter.daily_milli,
            shape=meter.shape,
        )


def compose(seed: int) -> DemoSite:
    """Return the demo's site for a seed."""
    template = yaml.safe_load((DEMO / "site.yaml").read_text(encoding="utf-8"))
    site = DemoSite(template=template, seed=seed)
    for company in template["companies"]:
        slots = {gateway["code"]: _slots(template, gateway["code"]) for gateway in company["gateways"]}
        for entry in company["communities"]:
            community = Community.model_validate(entry)
            doors = expand(community)
            site.premises += doors
            for door in doors:
                if door.kind != "space":
                    for resource in (ELECTRICITY, WATER):
                        site.meters.append(_meter(seed, community, door, resource, slots[community.gateway]))
            if community.public_meter:
                site.meters.append(_public_meter(seed, community))
    return site


def _slots(template: Mapping[str, Any], gateway: str) -> Slots:
    """Return for each resource the live places of a gateway, as wire, kind and number, in the order of the file."""
    rows = template["demo_wires"][gateway]
    return {
        resource: iter(
            [
                (row["wire"], row["kind"], number)
                for row in rows
                if row["resource"] == resource
                for number in range(1, row["count"] + 1)
            ]
        )
        for resource in (ELECTRICITY, WATER)
    }


def _meter(seed: int, community: Community, door: Premises, resource: str, slots: Slots) -> DemoMeter:
    live = next(slots[resource], None) if door.kind == "residence" else None
    wire, kind, unit = live or (f"{community.gateway}-recorded", "recorded", 0)
    number = draw(seed, community.code, door.label, resource)
    serial = f"{'E' if resource == ELECTRICITY else 'W'}{number % 10**8:08d}"
    profile = _MODEL[kind, resource][0] if live else f"recorded-{resource}"
    return DemoMeter(
        serial=serial,
        community=community.code,
        gateway=community.gateway,
        premises=door.label,
        resource=resource,
        wire=wire,
        kind=kind,
        profile=profile,
        address=_address(kind, resource, serial, unit),
        start_milli=number % 3_000_000 // 10 * 10,
        daily_milli=_DAILY_MILLI[door.kind.value, resource] * (60 + number % 81) // 100,
        shape="shop" if door.kind == "shop" else "household",
    )


def _public_meter(seed: int, community: Community) -> DemoMeter:
    serial = f"P{draw(seed, community.code, 'public') % 10**8:08d}"
    return DemoMeter(
        serial=serial,
        community=community.code,
        gateway=community.gateway,
        premises=None,
        resource=ELECTRICITY,
        wire=f"{community.gateway}-bus",
        kind="serial-tcp",
        profile=_MODEL["serial-tcp", ELECTRICITY][0],
        address=_address("serial-tcp", ELECTRICITY, serial, 0),
        start_milli=1_000_000,
        daily_milli=_PUBLIC_DAILY_MILLI,
        shape="public",
    )


def _address(kind: str, resource: str, serial: str, unit: int) -> str:
    if kind in {"modbus-tcp", "serial"}:
        return str(unit)
    digits = serial[1:]
    return f"0000{digits}" if resource == ELECTRICITY else f"330000{digits}"


def write_recorded(site: DemoSite, gateway: str, path: Path, instants: Sequence[datetime], wrong: Wrong) -> None:
    """Write the recorded series of a gateway: one row a meter and instant; `wrong` adds milli-units at a midnight."""
    with path.open("w", encoding="utf-8", newline="") as target:
        rows = csv.writer(target)
        rows.writerow(["serial", "quantity", "read_at", "value"])
        for meter in site.meters:
            if meter.gateway != gateway or meter.live:
                continue
            load = site.load(meter)
            for at in instants:
                local = at.astimezone(ZONE)
                extra = wrong.get((meter.serial, local.date()), 0) if local.time() == time() else 0
                value = format_milli(load.total_milli(at) + extra)
                rows.writerow([meter.serial, _QUANTITY[meter.resource], f"{at:%Y-%m-%dT%H:%M:%SZ}", value])


def recorded_instants(site: DemoSite, days: int, dense: Collection[date]) -> list[datetime]:
    """Return when recorded meters have rows: each local midnight, and every quarter hour of the dense days."""
    found = []
    for number in range(days):
        midnight = site.epoch + timedelta(days=number)
        quarters = 96 if midnight.astimezone(ZONE).date() in dense else 1
        found += [midnight + quarter * timedelta(minutes=15) for quarter in range(quarters)]
    return found


def device_description(
    site: DemoSite, folder: Path, *, broker: str, visits: list[dict[str, Any]], faults: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return the description of the live devices for `python -m tests.simulation.devices`."""
    lines = {}
    for meter in site.meters:
        if meter.live:
            kind = _MODEL[meter.kind, meter.resource][1]
            place = (
                {"link": str(folder / f"{meter.wire}.tty")} if kind == "modbus-rtu-pty" else {"listen": "127.0.0.1:0"}
            )
            lines[meter.wire] = {"line": meter.wire, "kind": kind, **place}
    lots = site.template["lots"]
    return {
        "seed": site.seed,
        "epoch": site.epoch.isoformat(),
        "lines": list(lines.values()),
        "meters": [
            {
                "serial": meter.serial,
                "model": meter.profile,
                "line": meter.wire,
                "address": meter.address,
                "start_milli": meter.start_milli,
                "daily_milli": meter.daily_milli,
                "shape": meter.shape,
            }
            for meter in site.meters
            if meter.live
        ],
        "gates": [
            {
                "broker": broker,
                "cameras": [lot["camera"] for lot in lots],
                "barriers": [lot["barrier"] for lot in lots],
                "visits": visits,
            }
        ],
        "faults": faults,
    }


def site_document(
    site: DemoSite,
    addresses: Mapping[str, str],
    recorded: Mapping[str, Path],
    broker: str,
    dense_days: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return the whole site as `gatehouse cloud site-load` reads it; `addresses` are those the devices listen on."""
    template = {key: value for key, value in site.template.items() if key != "demo_wires"}
    kinds = {meter.wire: (meter.gateway, meter.kind) for meter in site.meters if meter.live}
    wires: list[dict[str, Any]] = [
        {"gateway": gateway, "wire": wire, "kind": kind, "address": addresses[wire]}
        | {"baud": 9600, "parity": "none" if kind == "serial" else "even"}
        for wire, (gateway, kind) in kinds.items()
    ]
    wires += [
        {"gateway": gateway, "wire": f"{gateway}-recorded", "kind": "recorded", "address": str(path)}
        for gateway, path in recorded.items()
    ]
    lot_gateways = {_community(site, lot["community"])["gateway"] for lot in site.template["lots"]}
    wires += [
        {"gateway": code, "wire": f"{code}-gate", "kind": "mqtt", "address": broker} for code in sorted(lot_gateways)
    ]
    return template | {
        "people": [
            _person(door, resident)
            for door in site.premises
            for resident in residents_of(site.seed, door.community, door.label)
        ],
        "meters": [
            {
                "serial": meter.serial,
                "community": meter.community,
                "premises": meter.premises,
                "resource": meter.resource,
                "wire": meter.wire,
                "profile": meter.profile,
                "address": meter.address,
            }
            for meter in site.meters
        ],
        "wires": wires,
        "dense_days": dense_days,
    }


def _community(site: DemoSite, code: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        entry for company in site.template["companies"] for entry in company["communities"] if entry["code"] == code
    )
    return found


def _person(door: Premises, resident: Resident) -> dict[str, Any]:
    return {
        "community": door.community,
        "premises": door.label,
        "name": resident.name,
        "phone": resident.phone,
        "role": resident.role,
        "pays": resident.pays,
        "plate": resident.plate,
        "persons": resident.persons,
    }
