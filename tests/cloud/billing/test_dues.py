"""The dues snapshot reaches the gateway that serves the community, and the kiosk's own rules find a room in it."""

from __future__ import annotations

import json
from typing import Any

from cloud.billing import dues, service
from cloud.fleet import service as fleet
from cloud.fleet.values import Gateway
from common.ids import GatewayId
from common.reading.reading import Resource
from common.wire.bundle import BundleKind
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office

Rooms = list[dict[str, Any]]


async def with_gateway(office: Office) -> GatewayId:
    """Give the community a gateway whose site names a meter of it, and the company another that serves nobody."""
    async with office.site.database.unit(office.site.tenant, office.site.actor) as unit:
        meter = await fleet.add_meter(unit, serial="E-1", resource=Resource.ELECTRICITY)
        await unit.session.flush()
        await fleet.install_meter(
            unit,
            meter_id=meter,
            community_id=office.site.community_id,
            premises_id=office.site.flats[0][0],
            start=b.START,
        )
        gateway_id, _ = await fleet.create_gateway(unit, label="building 1")
        await fleet.create_gateway(unit, label="building 2")
        await fleet.publish_bundle(unit, gateway_id, BundleKind.SITE, {"devices": [{"meter_id": str(meter)}]})
    return gateway_id


async def published(office: Office) -> dict[str, Rooms]:
    """Publish, and return the rooms that each gateway was handed, by label."""
    async with office.site.database.unit(office.site.tenant, office.site.actor) as unit:
        await dues.publish_everywhere(unit)
    rooms = {}
    async with office.site.database.view(office.site.tenant) as session:
        for gateway in await fleet.gateways(session):
            rooms[gateway.label] = await _rooms(office, gateway)
    return rooms


async def _rooms(office: Office, gateway: Gateway) -> Rooms:
    async with office.site.database.view(office.site.tenant) as session:
        bundles = await fleet.newer_bundles(session, gateway.gateway_id, {}, office.clock.now())
    return [room for bundle in bundles if bundle.kind is BundleKind.DUES for room in bundle.body["rooms"]]


async def _lookup(office: Office, flat: b.Flat, label: str) -> str:
    async with office.site.database.view(office.site.tenant) as session:
        (account,) = await service.accounts_of_premises(session, [flat[0]])
    return dues.lookup_sha(label, account.lookup_code)


async def test_every_account_is_found_by_room_and_code_and_only_open_bills_are_shown(office: Office) -> None:
    await with_gateway(office)
    for flat in office.site.flats[:2]:
        office.set(flat, b.ELECTRICITY, 0, 1000)
    await office.bill_month(0)
    await office.pay(office.site.flats[1], "all")
    handed = await published(office)
    assert handed["building 2"] == []
    rooms = {str(room["lookup_sha"]): room for room in handed["building 1"]}
    owing = rooms[await _lookup(office, office.site.flats[0], "1-1-001")]
    paid = rooms[await _lookup(office, office.site.flats[1], "1-1-002")]
    assert len(rooms) == 4
    (bill,) = owing["bills"]
    assert (bill["open_fen"], bill["lines"][0]["amount_fen"]) == (1000, 1000)
    assert paid["bills"] == []


async def test_the_snapshot_names_nobody(office: Office) -> None:
    await with_gateway(office)
    office.set(office.site.flats[0], b.ELECTRICITY, 0, 1000)
    await office.bill_month(0)
    told = json.dumps((await published(office))["building 1"])
    assert "owner" not in told
    assert all(str(party_id) not in told for _, party_id in office.site.flats)


def test_a_room_and_a_code_are_read_as_people_type_them() -> None:
    assert dues.lookup_sha(" 1-2-301a ", " 012345 ") == dues.lookup_sha("1-2-301A", "012345")
    assert dues.lookup_sha("1-2-301", "012345") != dues.lookup_sha("1-2-301", "012346")
