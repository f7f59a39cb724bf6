"""What the office does with bills, debts and the books: readied and commanded, for the sweep."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

from cloud.arrears import late
from cloud.arrears import service as arrears
from cloud.arrears.values import ReliefKind, ReliefWish, RelievedLine
from cloud.billing import corrections, repricing, runs
from cloud.billing import service as billing
from cloud.billing.corrections import Cause, CorrectionScope
from cloud.billing.repricing import PriceScope
from cloud.charges import service as charges
from cloud.charges.values import Sharing
from cloud.disclosure import service as disclosure
from cloud.disclosure.values import EntryKind, FundEntry
from cloud.estate import service as estate
from cloud.estate.kinds import Fact, PartyKind, Role
from cloud.imports import service as imports
from cloud.imports.columns import columns_of
from cloud.imports.kinds import ImportKind
from cloud.imports.service import Upload
from cloud.imports.sheets import csv_text
from cloud.kit.jobs import NewJob
from cloud.ledger import periods, tasks
from cloud.ledger.journals import LineRef
from cloud.rating.service import rate_period
from cloud.settlement import service as settlement
from cloud.settlement.values import MoveOut
from cloud.tariffs import service as tariffs
from common.ids import PremisesId
from tests.cloud.charges.street import MARCH
from tests.cloud.sweep.shop import CHIEF, CLERK, DEBT_FEN, Command, Facts, Shop

_THROUGH = date(2026, 4, 14)
_ID = UUID(int=0xABC0001)


async def run_march(shop: Shop, _: Facts) -> None:
    async with shop.unit() as unit:
        await runs.request_run(unit, shop.march)


async def money_ahead(shop: Shop, _: Facts) -> None:
    await shop.pay(1, DEBT_FEN + 10_000)


async def one_off_drafted(shop: Shop, facts: Facts) -> None:
    new = shop.street.one_off(shop.levy, 12_345, Sharing.BY_AREA)
    facts["charge"] = new.charge_id
    async with shop.unit() as unit:
        await charges.draft(unit, new)
    async with shop.ground.database.view(shop.street.tenant) as session:
        facts["sha"] = (await charges.preview(session, new.charge_id)).sha


async def one_off_issued(shop: Shop, facts: Facts) -> None:
    async with shop.unit() as unit:
        await charges.issue(unit, facts["charge"], preview_sha=facts["sha"])


async def one_off_paid(shop: Shop, facts: Facts) -> None:
    await one_off_drafted(shop, facts)
    await one_off_issued(shop, facts)
    await shop.pay(0, DEBT_FEN + 2_000)


async def one_off_withdrawn(shop: Shop, facts: Facts) -> None:
    async with shop.unit() as unit:
        await charges.withdraw(unit, facts["charge"], reason="agreed otherwise")


async def _measured_again(shop: Shop, facts: Facts) -> list[PremisesId]:
    """Run a period, and measure two flats anew after it."""
    await run_march(shop, facts)
    await shop.ground.work()
    flats = [flat for flat, _ in shop.street.flats[:2]]
    async with shop.unit() as unit:
        for flat, area in zip(flats, (90_000, 60_000), strict=True):
            await estate.record_fact(unit, flat, fact=Fact.AREA, effective_from=MARCH.start, value_milli=area)
    shop.ground.clock.advance(minutes=1)
    return flats


async def prices_were_wrong(shop: Shop, facts: Facts) -> None:
    await _measured_again(shop, facts)
    community = shop.street.community
    async with shop.unit() as unit:
        items = frozenset(item.charge_item_id for item in await tariffs.charge_items(unit.session, community))
        scope = PriceScope(community_id=community, charge_items=items, first_day=MARCH.start)
        facts["correction"] = await repricing.open_price_correction(unit, scope, reason="decree")
    async with shop.ground.database.view(shop.street.tenant) as session:
        now = shop.ground.clock.now()
        found = await repricing.preview(session, rate_period, community, facts["correction"], now)
    facts["sha"] = found.sha


async def prices_corrected(shop: Shop, facts: Facts) -> None:
    async with shop.unit() as unit:
        community, correction = shop.street.community, facts["correction"]
        await repricing.approve(unit, rate_period, community, correction, preview_sha=facts["sha"])


async def area_was_wrong(shop: Shop, facts: Facts) -> None:
    flats = await _measured_again(shop, facts)
    scope = CorrectionScope(community_id=shop.street.community, premises=frozenset(flats), first_day=MARCH.start)
    async with shop.unit() as unit:
        facts["case"] = await corrections.open_correction(unit, scope, cause=Cause.AREA, reason="measured again")
    async with shop.ground.database.view(shop.street.tenant) as session:
        now = shop.ground.clock.now()
        facts["sha"] = (await corrections.preview(session, rate_period, facts["case"], now)).sha


async def corrected(shop: Shop, facts: Facts) -> None:
    async with shop.unit() as unit:
        await corrections.apply(unit, rate_period, facts["case"], preview_sha=facts["sha"])


async def charged_late(shop: Shop, _: Facts) -> None:
    async with shop.unit() as unit:
        await late.charge(unit, shop.street.community, _THROUGH)


def relief_asked(kind: ReliefKind) -> Command:
    async def ask(shop: Shop, _: Facts) -> None:
        bill_id, account = shop.debts[0].summary.bill_id, shop.accounts[0]
        fen = 60_000
        if kind is ReliefKind.WAIVER:
            async with shop.unit() as unit:
                bill = (await late.charge(unit, shop.street.community, _THROUGH))[0]
            bill_id, account, fen = bill.bill_id, bill.account_id, 1_000
        wish = ReliefWish(
            relief_id=_ID,
            account_id=account,
            kind=kind,
            lines=(RelievedLine(line=LineRef(bill_id=bill_id, n=1), fen=fen),),
            reason="困难家庭",
        )
        async with shop.unit() as unit:
            await arrears.ask(unit, wish)

    return ask


async def relief_granted(shop: Shop, _: Facts) -> None:
    async with shop.unit(CHIEF) as unit:
        await arrears.decide(unit, _ID, grants=True)


async def lodger_goes(shop: Shop, facts: Facts) -> None:
    flat = shop.street.flats[5][0]
    async with shop.unit() as unit:
        lodger = await estate.add_party(unit, kind=PartyKind.PERSON, name="租客")
        await estate.relate(unit, party_id=lodger, premises_id=flat, role=Role.PAYER, starts=date(2026, 3, 1))
    await run_march(shop, facts)
    await shop.ground.work()
    async with shop.ground.database.view(shop.street.tenant) as session:
        (facts["account"],) = [
            one.account_id for one in await billing.accounts_of_premises(session, [flat]) if one.party_id == lodger
        ]
    wish = MoveOut(settlement_id=_ID, account_id=facts["account"], gone_on=date(2026, 4, 1), readings=())
    street = shop.street
    facts["wish"] = wish
    facts["sha"] = (await settlement.preview(street.database, street.tenant, CLERK, rate_period, wish)).sha


async def moved_out(shop: Shop, facts: Facts) -> None:
    async with shop.unit() as unit:
        await settlement.settle(unit, rate_period, facts["wish"], preview_sha=facts["sha"])


def fund_entry(kind: EntryKind) -> Command:
    async def enter(shop: Shop, _: Facts) -> None:
        entry = FundEntry(
            entry_id=UUID(int=_ID.int + (kind is EntryKind.SPENDING)),
            community_id=shop.street.community,
            charge_item_id=shop.adverts.charge_item_id,
            kind=kind,
            fen=120_000,
            day=date(2026, 4, 1),
            words_zh="电梯广告租金",
            words_en="rent of lift adverts",
            evidence="合同 2026-3",
        )
        async with shop.unit() as unit:
            await disclosure.record(unit, entry)

    return enter


async def days_sealed(shop: Shop, _: Facts) -> None:
    async with shop.unit() as unit:
        unit.enqueue(NewJob(kind=tasks.SEAL, key="seal:2026-04-15", payload={"day": "2026-04-15"}))


async def period_closed(shop: Shop, _: Facts) -> None:
    async with shop.unit() as unit:
        await periods.close_period(unit, shop.street.community, replace(MARCH, start=date(2026, 1, 1)))


def _balances(shop: Shop) -> Upload:
    rows = [
        {"房号": "1-1-101", "收费项代码": "levy", "欠费金额": "350.20", "应缴日": "2026-01-15"},
        {"房号": "1-1-201", "收费项代码": "levy", "欠费金额": "-80", "应缴日": "2026-01-15"},
    ]
    content = csv_text(columns_of(ImportKind.OPENINGS), rows)
    return Upload(community_id=shop.street.community, kind=ImportKind.OPENINGS, file_name="t.csv", content=content)


async def balances_imported(shop: Shop, _: Facts) -> None:
    async with shop.unit() as unit:
        await imports.apply(unit, _ID, _balances(shop))


async def import_undone(shop: Shop, _: Facts) -> None:
    async with shop.unit() as unit:
        await imports.undo(unit, _ID)
