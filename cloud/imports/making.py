"""What each kind of table makes: its rows compared with what stands, then added, with a note of each thing made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate import intake as estate_intake
from cloud.estate import service as estate
from cloud.estate.kinds import Fact, PartyKind, Role
from cloud.estate.values import Building, Community, NewParty, NewPremises, Premises, Relation
from cloud.fleet import intake as fleet_intake
from cloud.fleet import service as fleet
from cloud.fleet.values import NewMeter, NewPlace
from cloud.imports.columns import Record
from cloud.imports.kinds import ImportKind, MadeKind
from cloud.kit.db import Unit
from cloud.metering.corrections import Correction, revise_reading
from cloud.metering.registers import BILLED_QUANTITY
from common.civil import Period, civil_day, midnight
from common.errors import Fault
from common.ids import BuildingId, MeterId
from common.reading.reading import Resource

LONG_AGO, FAR_AHEAD = 1900, 2200
DEFAULT_DIGITS, ONE = 6, 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One thing that was made, and what taking it back needs beside the id."""

    kind: MadeKind
    object_id: UUID
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What stands in a community before a table is taken in."""

    community: Community
    premises: Mapping[str, Premises]
    buildings: Mapping[str, Building]
    meters: Mapping[str, tuple[MeterId, Resource]]


async def standing(session: AsyncSession, community: Community, now: datetime) -> Standing:
    """Return what stands in a community."""
    day = civil_day(now, community.zone)
    ever = Period(day.replace(year=LONG_AGO, day=1), day.replace(year=FAR_AHEAD, day=1))
    placed = await fleet.installed_meters(session, community.id, ever)
    return Standing(
        community=community,
        premises={one.label: one for one in await estate.premises_in(session, community.id, day=day)},
        buildings={one.code: one for one in await estate.buildings(session, community.id)},
        meters={meter.serial: (meter.meter_id, meter.resource) for meter in placed},
    )


def faults_of(kind: ImportKind, records: Sequence[Record], known: Standing) -> list[Fault]:
    """Return what is wrong with rows that can be read: things that stand already, twice in the table, or nowhere."""
    checks: Mapping[ImportKind, Callable[[Sequence[Record], Standing], list[Fault]]] = {
        ImportKind.ESTATE: _estate_faults,
        ImportKind.METERS: _meter_faults,
        ImportKind.OPENINGS: _opening_faults,
        ImportKind.READINGS: _reading_faults,
    }
    return checks[kind](records, known)


def _twice(records: Sequence[Record], key: Callable[[Record], object], column: str) -> list[Fault]:
    seen: dict[object, int] = {}
    faults = []
    for record in records:
        first = seen.setdefault(key(record), record.row)
        if first != record.row:
            faults.append(record.fault(column, f"it stands in row {first} too", "keep one of the two"))
    return faults


def _estate_faults(records: Sequence[Record], known: Standing) -> list[Fault]:
    faults = _twice(records, lambda record: record.values["label"], "房号 premises")
    for record in records:
        if record.values["label"] in known.premises:
            faults.append(
                record.fault("房号 premises", "it exists already", "leave the row out, or change it in place")
            )
        if "phone" in record.values and "owner" not in record.values:
            faults.append(record.fault("业主 owner", "a telephone without an owner", "write whose it is"))
    return faults


def _meter_faults(records: Sequence[Record], known: Standing) -> list[Fault]:
    faults = _twice(records, lambda record: record.values["serial"], "表号 serial")
    serials = {record.values["serial"] for record in records} | set(known.meters)
    for record in records:
        values = record.values
        if values["serial"] in known.meters:
            faults.append(record.fault("表号 serial", "the meter is registered already", "leave the row out"))
        if "label" in values and values["label"] not in known.premises:
            faults.append(_no_premises(record))
        if "parent" in values and (values["parent"] not in serials or values["parent"] == values["serial"]):
            faults.append(
                record.fault("总表 master", "there is no other meter of that serial", "import it, or mend it")
            )
    return faults


def _opening_faults(records: Sequence[Record], known: Standing) -> list[Fault]:
    faults = _twice(
        records, lambda record: (record.values["label"], record.values["code"], record.values["due"]), "房号 premises"
    )
    faults += [_no_premises(record) for record in records if record.values["label"] not in known.premises]
    return faults


def _reading_faults(records: Sequence[Record], known: Standing) -> list[Fault]:
    faults = _twice(records, lambda record: (record.values["serial"], record.values["day"]), "表号 serial")
    by_meter: dict[str, list[Record]] = {}
    for record in records:
        if record.values["serial"] not in known.meters:
            faults.append(record.fault("表号 serial", "there is no such meter here", "import the meter first"))
        by_meter.setdefault(record.values["serial"], []).append(record)
    for own in by_meter.values():
        ordered = sorted(own, key=lambda record: (record.values["day"], record.row))
        for before, after in pairwise(ordered):
            if after.values["value"] < before.values["value"]:
                what = f"the dial shows less than in row {before.row}"
                faults.append(after.fault("读数 dial", what, "mend it; confirm a rollover or a swap by hand"))
    return faults


def _no_premises(record: Record) -> Fault:
    return record.fault("房号 premises", "there are no such premises", "import the estate first, or mend the label")


async def make_estate(unit: Unit, records: Sequence[Record], known: Standing) -> list[Made]:
    """Add buildings, premises with their facts, owners and what they are to them."""
    community = known.community
    buildings = {code: one.id for code, one in known.buildings.items()}
    made: list[Made] = []
    for code in dict.fromkeys(record.values["building"] for record in records if "building" in record.values):
        if code not in buildings:
            buildings[code] = await estate.add_building(unit, community.id, code=code, name=code)
            made.append(Made(kind=MadeKind.BUILDING, object_id=buildings[code]))
    news = [_premises(record, buildings) for record in records]
    ids = await estate_intake.add_all_premises(unit, community.id, news)
    made += [Made(kind=MadeKind.PREMISES, object_id=one) for one in ids]
    owned = [
        (record, premises_id) for record, premises_id in zip(records, ids, strict=True) if "owner" in record.values
    ]
    parties = await estate_intake.add_parties(
        unit,
        [
            NewParty(kind=PartyKind.PERSON, name=record.values["owner"], phone_tail=record.values.get("phone"))
            for record, _ in owned
        ],
    )
    made += [Made(kind=MadeKind.PARTY, object_id=one) for one in parties]
    await unit.session.flush()
    await estate_intake.relate_all(
        unit,
        [
            Relation(premises_id=premises_id, party_id=party, role=Role.OWNER, starts=record.values["since"], ends=None)
            for (record, premises_id), party in zip(owned, parties, strict=True)
        ],
    )
    return made


def _premises(record: Record, buildings: Mapping[str, BuildingId]) -> NewPremises:
    values = record.values
    facts = {Fact.AREA: values.get("area"), Fact.PERSONS: values.get("persons")}
    return NewPremises(
        label=values["label"],
        kind=values["kind"],
        effective_from=values["since"],
        building_id=buildings[values["building"]] if "building" in values else None,
        facts={fact: value for fact, value in facts.items() if value is not None},
    )


async def make_meters(unit: Unit, records: Sequence[Record], known: Standing) -> list[Made]:
    """Add meters by their nameplates and let them count from their day."""
    ids = await fleet_intake.add_meters(
        unit,
        [
            NewMeter(
                serial=record.values["serial"],
                resource=record.values["resource"],
                digits=record.values.get("digits", DEFAULT_DIGITS),
                multiplier_milli=record.values.get("multiplier", ONE),
            )
            for record in records
        ],
    )
    await unit.session.flush()
    serials = {serial: meter_id for serial, (meter_id, _) in known.meters.items()}
    serials |= {record.values["serial"]: meter_id for record, meter_id in zip(records, ids, strict=True)}
    places = [
        NewPlace(
            meter_id=meter_id,
            community_id=known.community.id,
            premises_id=known.premises[record.values["label"]].id if "label" in record.values else None,
            start=record.values["start"],
            parent_meter_id=serials[record.values["parent"]] if "parent" in record.values else None,
        )
        for record, meter_id in zip(records, ids, strict=True)
    ]
    await fleet_intake.install_meters(unit, places)
    return [Made(kind=MadeKind.METER, object_id=one) for one in ids]


async def make_readings(unit: Unit, records: Sequence[Record], known: Standing) -> list[Made]:
    """Enter readings by hand, each at the midnight that begins its day."""
    made: list[Made] = []
    for record in records:
        meter_id, resource = known.meters[record.values["serial"]]
        correction = Correction(
            community_id=known.community.id,
            meter_id=meter_id,
            quantity=BILLED_QUANTITY[resource],
            read_at=midnight(record.values["day"], known.community.zone),
            value_milli=record.values["value"],
            reason=record.values.get("note") or f"表格导入 imported, row {record.row}",
        )
        await revise_reading(unit, correction)
        await unit.session.flush()
        detail = {"quantity": correction.quantity.value, "read_at": correction.read_at.isoformat()}
        made.append(Made(kind=MadeKind.READING, object_id=meter_id, detail=detail))
    return made
