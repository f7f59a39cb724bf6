"""Gateways in a world: a priced meter in each flat, the way in for batches, and the question whether bills agree.

What is billed is asked with SQL of its own and held against the devices themselves: usage that was counted is billed
once, or waits; it is never billed twice, never at another figure, and never without a register that the dial showed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

import psycopg

from cloud.charges.making import Price
from cloud.fleet import service as fleet
from cloud.ingest.service import Answer, Ingest
from cloud.kit.db import Database
from cloud.tariffs.charge import ChargeBasis
from common.civil import civil_day, midnight
from common.ids import MeterId
from common.reading.reading import Resource
from common.wire.receipt import Receipt, open_receipt
from tests.cloud.charges.street import START, Street
from tests.cloud.ingest.conftest import CLOUD_KEY, TRUSTED, enrolled
from tests.simulation.soak_books.auditor import Breach
from tests.simulation.soak_books.devices import DIGITS, ZONE, Device, FieldGateway
from tests.support.clock import SettableClock

CODE = "power"
FEN_A_KWH = 55
PRICE = {
    "format": "gatehouse-tariff/1",
    "code": CODE,
    "name": {"zh": "电费", "en": "electricity"},
    "unit": "kWh",
    "charges": [{"key": "energy", "price": "0.55"}],
}
CONSERVED = "usage is billed once, as the device counted it"
TRACED = "a line stands on what the dial showed"
COMPLETE = "in the end all usage is billed"
_GATEWAYS = 2
_FIRST_STEP_MILLI = 137_000

_BILLED = b"""
    select subject, service_start, service_end, sum(quantity_milli)::bigint, sum(fen)::bigint
      from bill_line where charge_code = 'power' group by 1, 2, 3
    having sum(quantity_milli) <> 0 or sum(fen) <> 0 order by 1, 2, 3"""
_REGISTERS = b"""
    select subject, end_of, (register->>'value_milli')::bigint, (register->>'read_at')::timestamptz
      from bill_line
      cross join lateral (values (service_start, trace->'from_register'), (service_end, trace->'to_register'))
                 r (end_of, register)
     where charge_code = 'power' and jsonb_typeof(register) = 'object'"""
_SETTLED = b"""
    select period_start, period_end from billing_period p
     where p.cycle = 'month'
       and not exists (select 1 from obligation o where o.tenant_id = p.tenant_id and o.period_start = p.period_start
                          and o.community_id = p.community_id and o.cycle = p.cycle and o.state = 'due')
       and exists (select 1 from bill b where b.tenant_id = p.tenant_id and b.community_id = p.community_id
                      and b.period_start = p.period_start and b.kind = 'regular') order by 1"""


@dataclass(slots=True, kw_only=True)
class Wiring:
    """The gateways of a world and what they are connected to."""

    gateways: tuple[FieldGateway, ...]
    homes: dict[int, list[Device]]
    ingest: Ingest
    clock: SettableClock
    delivered: dict[tuple[int, int], bytes] = field(default_factory=dict)
    read: set[tuple[MeterId, date]] = field(default_factory=set)
    turned: set[tuple[MeterId, date]] = field(default_factory=set)
    prices: set[int] = field(default_factory=lambda: {FEN_A_KWH})

    @property
    def today(self) -> date:
        """Return the civil day."""
        return civil_day(self.clock.now(), ZONE)

    @property
    def devices(self) -> dict[MeterId, Device]:
        """Return every device there is or was."""
        return {one.meter_id: one for hung in self.homes.values() for one in hung}

    async def deliver(self, place: int, number: int) -> Receipt:
        """Bring a batch of a gateway to the cloud; a batch that was there before gets the receipt it was given."""
        answer: Answer = await self.ingest.take(self.gateways[place].paper.sealed[number - 1])
        assert answer.refusal is None, answer.refusal
        # A machine that died after its commit gives the same receipt to whoever asks again.
        known = self.delivered.setdefault((place, number), answer.receipt)
        assert known == answer.receipt, "a batch has one receipt"
        return open_receipt(answer.receipt, TRUSTED)

    def breaches(self, connection: psycopg.Connection) -> list[Breach]:
        """Return where bills are not what the devices counted."""
        return [*self._conserved(connection), *self._traced(connection)]

    def unbilled(self, connection: psycopg.Connection) -> list[Breach]:
        """Return the usage of settled months that no bill has, once nothing is missing any more."""
        billed = connection.execute(_BILLED).fetchall()
        found = []
        for start, end in connection.execute(_SETTLED).fetchall():
            for flat, hung in self.homes.items():
                ids = {str(one.meter_id) for one in hung}
                has = sum(milli for one, first, last, milli, _ in billed if one in ids and start <= first < last <= end)
                wanted = sum(one.used_milli(start, end) for one in hung)
                if has != wanted:
                    found.append(Breach(COMPLETE, f"flat {flat}, {start}: {has} of {wanted} milli-kWh"))
        return found

    def _conserved(self, connection: psycopg.Connection) -> Iterator[Breach]:
        devices = {str(meter_id): one for meter_id, one in self.devices.items()}
        until: dict[str, date] = {}
        for meter, start, end, milli, fen in connection.execute(_BILLED).fetchall():
            counted = devices[meter].used_milli(start, end)
            if milli != counted or fen * 1_000 not in {counted * price for price in self.prices}:
                yield Breach(CONSERVED, f"{meter} {start}..{end}: {milli} for {fen} fen, counted {counted}")
            if start < until.get(meter, start):
                yield Breach(CONSERVED, f"{meter}: days before {until[meter]} twice, again from {start}")
            until[meter] = max(end, until.get(meter, end))

    def _traced(self, connection: psycopg.Connection) -> Iterator[Breach]:
        devices = {str(meter_id): one for meter_id, one in self.devices.items()}
        for meter, day, milli, read_at in connection.execute(_REGISTERS).fetchall():
            if (milli, read_at) != (devices[meter].shown_milli(day), midnight(day, ZONE)):
                yield Breach(TRACED, f"{meter} at {day}: {milli}, read {read_at}")


async def wire(street: Street, database: Database, *, since: date = START) -> Wiring:
    """Price electricity, hang a meter into each flat, and enrol gateways that read them."""
    await street.make(
        street.charge(
            CODE,
            name_zh="电费",
            name_en="electricity",
            basis=ChargeBasis.METERED,
            resource=Resource.ELECTRICITY,
            price=Price(document=PRICE),
        )
    )
    homes: dict[int, list[Device]] = {}
    async with street.database.unit(street.tenant, street.actor) as unit:
        for number, (premises, _) in enumerate(street.flats):
            meter_id = await fleet.add_meter(unit, serial=f"E{number}-1", resource=Resource.ELECTRICITY, digits=DIGITS)
            await unit.session.flush()
            await fleet.install_meter(
                unit, meter_id=meter_id, community_id=street.community, premises_id=premises, start=since
            )
            homes[number] = [
                Device(meter_id=meter_id, number=number, since=since, first_milli=number * _FIRST_STEP_MILLI)
            ]
    gateways = []
    for place in range(_GATEWAYS):
        paper = await enrolled(
            street.database, street.tenant, street.clock, label=f"building {place}", seed=bytes([0x61 + place])
        )
        hung = [homes[number][0] for number in homes if number % _GATEWAYS == place]
        gateways.append(FieldGateway(paper=paper, devices=hung))
    return Wiring(gateways=tuple(gateways), homes=homes, ingest=Ingest(database, CLOUD_KEY), clock=street.clock)


def waiting_first(gateway: FieldGateway) -> Sequence[int]:
    """Return the batches of a gateway that nobody has acknowledged yet, the oldest first."""
    return tuple(sorted(gateway.waiting))
