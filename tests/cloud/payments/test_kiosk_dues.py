"""A kiosk's snapshot carries the cashier address of each open bill, the same each time."""

from __future__ import annotations

from typing import Any

from cloud.billing import dues
from cloud.fleet import service as fleet
from cloud.payments import kiosk_dues, links
from common.wire.bundle import BundleKind
from tests.cloud.billing.conftest import Office
from tests.cloud.billing.test_dues import with_gateway
from tests.cloud.payments.counter import Counter


async def published(office: Office) -> list[dict[str, Any]]:
    async def addresses(unit: Any, bill_ids: Any) -> Any:
        tokens = await kiosk_dues.tokens_of(unit, bill_ids)
        return {bill_id: f"https://pay.example/pay/{token}" for bill_id, token in tokens.items()}

    async with office.site.database.unit(office.site.tenant, office.site.actor) as unit:
        await dues.publish_everywhere(unit, addresses)
        (gateway,) = [one for one in await fleet.gateways(unit.session) if one.label == "building 1"]
        await unit.session.flush()
        bundles = await fleet.newer_bundles(unit.session, gateway.gateway_id, {}, unit.now)
    return [
        bill
        for bundle in bundles
        if bundle.kind is BundleKind.DUES
        for room in bundle.body["rooms"]
        for bill in room["bills"]
    ]


async def test_each_open_bill_has_its_address_and_keeps_it(counter: Counter) -> None:
    office = counter.office
    await with_gateway(office)
    await counter.bill(0, 12_300, 4_500)
    first, second = await published(office), await published(office)
    assert first
    assert [bill["pay_address"] for bill in first] == [bill["pay_address"] for bill in second]
    token = first[0]["pay_address"].rpartition("/")[2]
    found = await links.cashier_page(office.site.database, token)
    assert found.bill.number == first[0]["number"]
