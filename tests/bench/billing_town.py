"""The town of the billing bench: households with three meters each, written by COPY, priced through the service.

Each community has a building, a public meter and one charge of each of the six kinds: yearly-tier electricity, charging
by time of use, tiered water, tiered gas, an area fee and a common cost shared by area. Of the readings, the blocks of
the midnights that decide are stored, each the last of a day's compaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import psycopg

from cloud.estate import service as estate
from cloud.fleet import service as fleet
from cloud.kit import images
from cloud.kit.actor import system_actor
from cloud.kit.db import Database
from cloud.kit.images import SIGNATURE, TRAILER, Cells, Ids, image
from cloud.tariffs import service as tariffs
from cloud.tariffs.assignment import Target, TargetKind
from cloud.tariffs.charge import ChargeBasis, ChargeItem, FundClass, Nature
from cloud.tariffs.pool import PoolMethod
from cloud.tariffs.service import AssignmentDraft, PoolDraft, RevisionDraft
from common.civil import Period, midnight
from common.ids import ChargeItemId, CommunityId, LegalEntityId, TenantId
from common.reading.reading import Quantity, Resource

PERIOD = Period(date(2026, 3, 1), date(2026, 4, 1))
YEAR = date(2026, 1, 1)
STARTS = date(2025, 12, 1)
HOUSEHOLDS_PER_COMMUNITY = 2_000
NOW = datetime(2026, 4, 1, 1, tzinfo=UTC)
RECORDED = datetime(2026, 3, 31, 22, tzinfo=UTC)
DUE_AFTER = timedelta(days=14)
METERS = (Resource.ELECTRICITY, Resource.WATER, Resource.GAS)
FIRST_DAYS = (YEAR, PERIOD.start, PERIOD.end)
ZONE = ZoneInfo("Asia/Shanghai")
# What a household adds to its meters in a month at most, in thousandths of kWh and of m3, and the public meter in each.
ENERGY_MAX, VOLUME_MAX, PUBLIC_MONTHLY = 800_000, 50_000, 9_876_543
EVERYWHERE = Target(kind=TargetKind.COMMUNITY)


def document(code: str, unit: str, **body: Any) -> Mapping[str, Any]:
    """Return a tariff."""
    name = {"zh": code, "en": code}
    return {"format": "gatehouse-tariff/1", "code": code, "name": name, "unit": unit, **body}


def tiered(code: str, unit: str, bounds: Sequence[str], prices: Sequence[str], **body: Any) -> Mapping[str, Any]:
    """Return a tariff of tiers."""
    charge = {"key": code, "tiers": {"bounds": list(bounds)}, "prices": list(prices)}
    return document(code, unit, charges=[charge], **body)


DOCUMENTS: Mapping[str, Mapping[str, Any]] = {
    "electricity": tiered(
        "electricity", "kWh", ["2880", "4800"], ["0.4883", "0.5383", "0.7883"], accumulate={"over": "year"}
    ),
    "charging": document(
        "charging",
        "kWh",
        windows=[
            {"name": "peak", "label": {"zh": "峰", "en": "peak"}, "times": ["08:00-22:00"]},
            {"name": "valley", "label": {"zh": "谷", "en": "valley"}, "times": ["22:00-08:00"]},
        ],
        charges=[{"key": "charging", "by_window": {"peak": "0.568", "valley": "0.288"}}],
    ),
    "water": tiered("water", "m3", ["18", "30"], ["2.07", "4.07", "6.07"]),
    "gas": tiered("gas", "m3", ["25", "42"], ["2.61", "2.83", "4.23"]),
    "service": document(
        "service", "m2", charges=[{"key": "service", "quantity": "area", "per": "month", "price": "2.35"}]
    ),
    "common": document("common", "kWh", charges=[{"key": "energy", "price": "0.5588"}], share={"weight": "area"}),
}
KINDS: Mapping[str, tuple[ChargeBasis, Resource | None, Nature]] = {
    "electricity": (ChargeBasis.METERED, Resource.ELECTRICITY, Nature.AGENCY),
    "charging": (ChargeBasis.METERED, Resource.ELECTRICITY, Nature.REVENUE),
    "water": (ChargeBasis.METERED, Resource.WATER, Nature.AGENCY),
    "gas": (ChargeBasis.METERED, Resource.GAS, Nature.AGENCY),
    "service": (ChargeBasis.AREA, None, Nature.REVENUE),
    "common": (ChargeBasis.SHARE, None, Nature.REVENUE),
}

_TABLES: Mapping[str, str] = {
    "premises": "tenant_id, community_id, premises_id, building_id, label, label_key, kind",
    "premises_fact": "tenant_id, community_id, premises_id, fact, effective_from, rev, value_milli, recorded_at",
    "party": "tenant_id, party_id, kind, name, name_key, created_at",
    "party_premises": "tenant_id, community_id, relation_id, premises_id, party_id, role, starts",
    "account": "tenant_id, community_id, account_id, premises_id, party_id, lookup_code, opened_at",
    "meter": "tenant_id, meter_id, serial, kind, resource, model, digits, multiplier_milli, created_at",
    "meter_installation": "tenant_id, community_id, installation_id, meter_id, premises_id, starts",
    "meter_day_block": "tenant_id, community_id, meter_id, quantity, day, rev, first_at, first_milli, first_quality,"
    " last_at, last_milli, last_quality, count, quality, body, gateway_id, store_epoch, sequence, recorded_at",
    "obligation": "tenant_id, community_id, cycle, period_start, account_id, kind, seq, premises_id, state",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Community:
    """A community of the town and its position in it."""

    community_id: CommunityId
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Since when a community stands, the midnights with a reading, and the periods that are due.

    Water, gas and the registers of charging are read from the start of the first period on.
    """

    starts: date
    days: tuple[date, ...]
    periods: tuple[Period, ...]

    @property
    def seen(self) -> datetime:
        """Return when the things of the community were recorded."""
        return datetime(self.starts.year, self.starts.month, self.starts.day, tzinfo=UTC)


ONE_PERIOD = History(starts=STARTS, days=FIRST_DAYS, periods=(PERIOD,))


async def price_community(
    database: Database, tenant: TenantId, entity: LegalEntityId, number: int, starts: date = STARTS
) -> Community:
    """Create a community with its public meter, its six charges and their prices."""
    async with database.unit(tenant, system_actor("bench")) as unit:
        community_id = await estate.create_community(unit, code=f"C{number}", name=f"community {number}", starts=starts)
        public = await fleet.add_meter(unit, serial=f"P{number}", resource=Resource.ELECTRICITY)
        await unit.session.flush()
        await fleet.install_meter(unit, meter_id=public, community_id=community_id, premises_id=None, start=starts)
        for code, (basis, resource, nature) in KINDS.items():
            item = ChargeItem(
                charge_item_id=ChargeItemId(unit.new_id()),
                community_id=community_id,
                code=code,
                name_zh=code,
                name_en=code,
                basis=basis,
                resource=resource,
                nature=nature,
                fund_class=FundClass.OPERATING,
                legal_entity_id=entity,
                tax_code="6%",
                tax_rate_micro=60_000,
                bears_late_charge=True,
            )
            await tariffs.add_charge_item(unit, item)
            draft = RevisionDraft(
                community_id=community_id,
                document=DOCUMENTS[code],
                effective_from=starts,
                basis_document="bench",
                decided_by="bench",
            )
            tariff_id, _ = await tariffs.record_revision(unit, draft)
            charged = AssignmentDraft(
                community_id=community_id,
                charge_item_id=item.charge_item_id,
                target=EVERYWHERE,
                effective_from=starts,
                tariff_id=tariff_id,
            )
            await tariffs.assign(unit, charged)
            if basis is ChargeBasis.SHARE:
                pool = PoolDraft(
                    community_id=community_id,
                    charge_item_id=item.charge_item_id,
                    meter_id=public,
                    effective_from=starts,
                    method=PoolMethod.METER,
                )
                await tariffs.record_pool(unit, pool)
    return Community(community_id=community_id, number=number)


class Filler:
    """Writes the households of communities, the same for the same seed."""

    def __init__(self, connection: psycopg.Connection[Any], tenant: TenantId, history: History = ONE_PERIOD) -> None:
        self._connection = connection
        self._head = images.uuid(tenant)
        self._source = np.random.default_rng([20_261_123, history.starts.toordinal()])
        self._made = 0
        self._history = history
        connection.execute("select set_config('app.tenant', %s, false)", [str(tenant)])

    def ids(self, count: int) -> Ids:
        """Return new ids in rising order."""
        cells = self._source.integers(0, 256, (count, images.ID.itemsize), dtype=np.uint8)
        numbers = (np.arange(count, dtype=">u8") + self._made).view(np.uint8).reshape(-1, 8)
        self._made += count
        cells[:, :8] = numbers
        return images.ids_from(cells)

    def fill(self, community: Community, households: int) -> None:
        """Write the households of a community with their parties, accounts, meters, readings and obligations."""
        head = [self._head, images.uuid(community.community_id)]
        premises, parties, accounts = (self.ids(households) for _ in range(3))
        label = images.digits(np.arange(households) + 1, 7)
        area = self._source.integers(45_000, 180_000, households)
        day = images.day(self._history.starts)
        seen = images.instant(self._history.seen)
        kind = images.text("residence")
        rows: dict[str, list[Cells | None]] = {
            "premises": [*head, images.uuids(premises), None, label, label, kind],
            "premises_fact": [
                *head,
                images.uuids(premises),
                images.text("area"),
                day,
                images.int8(1),
                images.int8(area),
                seen,
            ],
            "party": [self._head, images.uuids(parties), images.text("organisation"), label, label, seen],
            "party_premises": [
                *head,
                images.uuids(self.ids(households)),
                images.uuids(premises),
                images.uuids(parties),
                images.text("owner"),
                day,
            ],
            "account": [
                *head,
                images.uuids(accounts),
                images.uuids(premises),
                images.uuids(parties),
                images.text("000000"),
                seen,
            ],
        }
        for table, columns in rows.items():
            self._copy(table, image(columns, households))
        for number, resource in enumerate(METERS):
            self._meter(head, community, premises, (number, resource))
        self._obligations(head, premises, accounts)
        self._public(head, community.community_id)

    def _meter(self, head: list[Cells], community: Community, premises: Ids, which: tuple[int, Resource]) -> None:
        count = len(premises)
        meters = self.ids(count)
        number, resource = which
        serial = images.joined(
            [images.text(f"{community.number}-{number}-"), images.digits(np.arange(count), 7)], count
        )
        nameplate = [
            self._head,
            images.uuids(meters),
            serial,
            images.text("physical"),
            images.text(resource),
            images.text(""),
            images.int8(6),
            images.int8(1000),
            images.instant(self._history.seen),
        ]
        self._copy("meter", image(nameplate, count))
        placed = [
            *head,
            images.uuids(self.ids(count)),
            images.uuids(meters),
            images.uuids(premises),
            images.day(self._history.starts),
        ]
        self._copy("meter_installation", image(placed, count))
        first = self._history.periods[0].start
        if resource is Resource.ELECTRICITY:
            total = self._registers(head, meters, Quantity.ENERGY_FORWARD, self._history.days, ENERGY_MAX)
            for share, quantity in ((2, Quantity.ENERGY_T2), (3, Quantity.ENERGY_T4)):
                values = {day: column // share for day, column in total.items() if day >= first}
                self._blocks(head, meters, quantity, values)
        else:
            days = [day for day in self._history.days if day >= first]
            self._registers(head, meters, Quantity.VOLUME, days, VOLUME_MAX)

    def _registers(
        self, head: list[Cells], meters: Ids, quantity: Quantity, days: Sequence[date], monthly_max: int
    ) -> dict[date, images.Integers]:
        value = self._source.integers(0, 1_000_000, len(meters))
        values: dict[date, images.Integers] = {}
        for day in days:
            values[day] = value
            value = value + self._source.integers(0, monthly_max, len(meters))
        self._blocks(head, meters, quantity, values)
        return values

    def _blocks(
        self, head: list[Cells], meters: Ids, quantity: Quantity, values: Mapping[date, images.Integers]
    ) -> None:
        for day, value in values.items():
            at = images.instant(midnight(day, ZONE))
            columns = [
                *head,
                images.uuids(meters),
                images.text(quantity),
                images.day(day),
                images.int8(1),
                at,
                images.int8(value),
                images.int8(0),
                at,
                images.int8(value),
                images.int8(0),
                images.int8(1),
                images.int8(0),
                images.blob(b"x" * 30),
                images.uuid(UUID(int=1)),
                images.int8(1),
                images.int8(1),
                images.instant(RECORDED),
            ]
            self._copy("meter_day_block", image(columns, len(meters)))

    def _public(self, head: list[Cells], community_id: CommunityId) -> None:
        found = self._connection.execute(
            "select meter_id from meter_installation where community_id = %s and premises_id is null", [community_id]
        ).fetchone()
        meter = images.ids_of([found[0]]) if found else images.ids_of([])
        days = [day for day in self._history.days if day >= self._history.periods[0].start]
        values = {day: np.array([number * PUBLIC_MONTHLY]) for number, day in enumerate(days)}
        self._blocks(head, meter, Quantity.ENERGY_FORWARD, values)

    def _obligations(self, head: list[Cells], premises: Ids, accounts: Ids) -> None:
        for period in self._history.periods:
            columns = [
                *head,
                images.text("month"),
                images.day(period.start),
                images.uuids(accounts),
                images.text("regular"),
                images.int8(1),
                images.uuids(premises),
                images.text("due"),
            ]
            self._connection.execute(
                "insert into billing_period"
                " (tenant_id, community_id, cycle, period_start, period_end, due_on, created_at)"
                " select tenant_id, community_id, 'month', %s, %s, %s, created_at"
                "   from community where community_id = %s",
                [period.start, period.end, period.end + DUE_AFTER, UUID(bytes=head[1].tobytes())],
            )
            self._copy("obligation", image(columns, len(premises)))

    def _copy(self, table: str, rows: Cells) -> None:
        with self._connection.cursor() as cursor:
            statement = f"copy {table} ({_TABLES[table]}) from stdin (format binary)"
            with cursor.copy(statement.encode()) as copy:
                copy.write(SIGNATURE + rows.tobytes() + TRAILER)
