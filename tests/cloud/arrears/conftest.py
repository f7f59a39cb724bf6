"""The street, with a debt and a rule for late charges."""

from __future__ import annotations

from datetime import date

import pytest_asyncio

from cloud.billing.documents import BillView
from cloud.charges.making import Price
from cloud.charges.rules import ChargeKind
from cloud.charges.values import Sharing
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.tariffs.charge import ChargeBasis
from common.ids import TenantId
from tests.cloud.charges.street import Street, build_street
from tests.support.clock import SettableClock

RULE = {
    "format": "gatehouse-tariff/1",
    "code": "late",
    "name": {"zh": "违约金", "en": "late charge"},
    "late_charge": {"rate_per_day": "0.0005", "cap_share": "0.1", "excluded": ["agency"]},
}


@pytest_asyncio.fixture
async def street(database: Database, tenant: TenantId, actor: Actor, clock: SettableClock) -> Street:
    built = await build_street(database, tenant, actor, clock)
    await built.make(
        built.charge("late", kind=ChargeKind.LATE, basis=ChargeBasis.LATE, price=Price(document=RULE), tax_rate_micro=0)
    )
    return built


@pytest_asyncio.fixture
async def debts(street: Street) -> list[BillView]:
    """Return a bill of 1,000 yuan for each flat, due on 1 March."""
    item = await street.make(street.charge())
    new = street.one_off(item, 100_000, Sharing.EACH, due_on=date(2026, 3, 1))
    return sorted(await street.issue(new), key=lambda bill: bill.account.premises_id)
