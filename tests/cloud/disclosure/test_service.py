"""The sunshine ledger: what residents read is what is booked, to the fen."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
import pytest_asyncio

from cloud.charges.rules import ChargeKind
from cloud.charges.values import Sharing
from cloud.disclosure import service
from cloud.disclosure.values import EntryKind, FundEntry, FundReport
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.ledger.auditing import audit
from cloud.tariffs.charge import ChargeItem, FundClass
from common.civil import Period
from common.errors import RefusalError
from common.ids import ChargeItemId, TenantId
from tests.cloud.charges.street import Street, build_street
from tests.support.clock import SettableClock

YEAR = Period(date(2026, 1, 1), date(2027, 1, 1))


class Owners:
    def __init__(self, street: Street, adverts: ChargeItem, fund: ChargeItem) -> None:
        self.street = street
        self.adverts = adverts
        self.fund = fund

    def entry(self, item: ChargeItem, kind: EntryKind, fen: int, day: date) -> FundEntry:
        return FundEntry(
            entry_id=self.street.database.new_id(),
            community_id=self.street.community,
            charge_item_id=item.charge_item_id,
            kind=kind,
            fen=fen,
            day=day,
            words_zh="电梯广告租金",
            words_en="rent of lift adverts",
            evidence="合同 2026-3",
        )

    async def record(self, entry: FundEntry) -> None:
        async with self.street.database.unit(self.street.tenant, self.street.actor) as unit:
            await service.record(unit, entry)
            unit.record("tested", "fund_entry", entry.entry_id)

    async def report(self, fund: FundClass, period: Period = YEAR) -> FundReport:
        async with self.street.database.view(self.street.tenant) as session:
            return await service.report(session, self.street.community, fund, period)


@pytest_asyncio.fixture
async def owners(database: Database, tenant: TenantId, actor: Actor, clock: SettableClock) -> Owners:
    street = await build_street(database, tenant, actor, clock)
    adverts = await street.make(street.charge("adverts", kind=ChargeKind.COMMON_INCOME, tax_rate_micro=0))
    fund = await street.make(street.charge("repairs", kind=ChargeKind.MAINTENANCE, tax_rate_micro=0))
    return Owners(street, adverts, fund)


async def test_rent_comes_in_a_repair_goes_out_and_the_fund_holds_the_rest(owners: Owners) -> None:
    await owners.record(owners.entry(owners.adverts, EntryKind.INCOME, 120_000, date(2025, 12, 1)))
    await owners.record(owners.entry(owners.adverts, EntryKind.INCOME, 50_000, date(2026, 2, 1)))
    spent = owners.entry(owners.adverts, EntryKind.SPENDING, 30_000, date(2026, 3, 1))
    await owners.record(spent)
    await owners.record(spent)
    found = await owners.report(FundClass.COMMON_INCOME)
    assert (found.before_fen, found.income_fen, found.spent_fen, found.after_fen) == (120_000, 50_000, 30_000, 140_000)
    assert [one.day for one in found.entries] == [date(2026, 3, 1), date(2026, 2, 1)]
    assert (await owners.report(FundClass.MAINTENANCE)).lines == ()
    async with owners.street.database.view(owners.street.tenant) as session:
        assert (await audit(session, owners.street.community)).breaches == ()


async def test_what_households_are_billed_for_the_fund_is_its_income(owners: Owners) -> None:
    await owners.street.issue(owners.street.one_off(owners.fund, 1_000, Sharing.EACH))
    found = await owners.report(FundClass.MAINTENANCE)
    (line,) = found.lines
    assert (line.billed_fen, line.other_income_fen, line.spent_fen, found.after_fen) == (6_000, 0, 0, 6_000)


async def test_an_entry_is_of_an_owners_fund_and_stands_once(owners: Owners) -> None:
    service_item = await owners.street.make(owners.street.charge("service"))
    known = owners.entry(owners.adverts, EntryKind.INCOME, 1, date(2026, 2, 1))
    await owners.record(known)
    refused = [
        (owners.entry(service_item, EntryKind.INCOME, 1, date(2026, 2, 1)), RefusalError),
        (replace(known, entry_id=UUID(int=5), charge_item_id=ChargeItemId(UUID(int=6))), NotFoundError),
        (replace(known, fen=2), ConflictError),
    ]
    for entry, error in refused:
        with pytest.raises(error):
            await owners.record(entry)


@pytest.mark.parametrize(
    "changes", [{"fen": 0}, {"fen": -1}, {"words_zh": " "}, {"words_en": "x" * 201}, {"evidence": ""}]
)
def test_an_entry_without_amount_words_or_evidence_cannot_be(owners: Owners, changes: dict[str, object]) -> None:
    whole = owners.entry(owners.adverts, EntryKind.INCOME, 1, date(2026, 2, 1))
    with pytest.raises(RefusalError):
        replace(whole, **changes)  # type: ignore[arg-type]
