"""What people do in a world, each a wish with ids of its own, given until it is answered; how often each comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, timedelta

from cloud.arrears import late
from cloud.arrears import service as arrears
from cloud.arrears.values import ReliefKind, ReliefWish, RelievedLine
from cloud.billing import runs
from cloud.billing import service as billing
from cloud.billing.corrections import Cause
from cloud.billing.service import MONTHLY, RunScope
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
from cloud.ledger import periods
from cloud.ledger import tasks as ledger_tasks
from cloud.rating.service import rate_period
from cloud.settlement import service as settlement
from cloud.settlement.values import MoveOut
from common.civil import Period, nth_month, nth_period
from common.errors import RefusalError
from common.ids import AccountId, ChargeItemId
from tests.cloud.sweep.shop import CHIEF, CLERK
from tests.simulation.soak_books import meter_deeds, till_deeds
from tests.simulation.soak_books.meter_deeds import FIRST_MONTH
from tests.simulation.soak_books.world import World

OPENED = date(2026, 1, 1)
Deed = Callable[[World], Awaitable[None]]


def _flat(world: World) -> int:
    return world.dice.randrange(len(world.shop.accounts))


async def bill_a_month(world: World) -> None:
    """Run the oldest month that is over, or one that was run before."""
    today = world.shop.ground.clock.now().date()
    months = [nth_period(FIRST_MONTH, n) for n in range(12)]
    over = [month for month in months if month.end <= today]
    month = world.dice.choice(over)
    scope = RunScope(community_id=world.shop.street.community, cycle=MONTHLY, period_start=month.start)

    async def command() -> None:
        async with world.shop.unit() as unit:
            if month.start > FIRST_MONTH:
                due_on = month.end + timedelta(days=9)
                await billing.create_period(unit, scope.community_id, period=month, due_on=due_on)
            await runs.request_run(unit, scope)

    await world.do("bill run", command)


async def charge_once(world: World) -> None:
    """Draft and issue a one-off charge."""
    shop = world.shop
    today = shop.ground.clock.now().date()
    new = shop.street.one_off(
        shop.levy, world.dice.randrange(600, 60_000), Sharing.BY_AREA, due_on=today + timedelta(days=20)
    )

    async def command() -> None:
        async with shop.unit() as unit:
            await charges.draft(unit, new)
        async with shop.ground.database.view(shop.street.tenant) as session:
            seen = await charges.preview(session, new.charge_id)
        async with shop.unit() as unit:
            await charges.issue(unit, new.charge_id, preview_sha=seen.sha)

    if await world.do("one-off charge", command):
        world.remember("charge", new.charge_id)


async def withdraw_a_charge(world: World) -> None:
    """Take a one-off charge back, whatever was paid on it."""
    charge_id = world.some("charge")
    if charge_id is None:
        return

    async def command() -> None:
        async with world.shop.unit() as unit:
            await charges.withdraw(unit, charge_id, reason="agreed otherwise")

    await world.do("withdrawal", command)


async def correct_an_area(world: World) -> None:
    """Measure a flat again and correct what was billed by it."""
    shop, premises = world.shop, world.shop.street.flats[_flat(world)][0]
    area = world.dice.randrange(40_000, 130_000)
    async with shop.unit() as unit:
        await estate.record_fact(unit, premises, fact=Fact.AREA, effective_from=FIRST_MONTH, value_milli=area)
    shop.ground.clock.advance(minutes=1)
    await meter_deeds.correct(world, frozenset({premises}), Cause.AREA, "measured again")


async def charge_late(world: World) -> None:
    """Charge what overdue lines have come to."""
    through = world.shop.ground.clock.now().date() - timedelta(days=1)

    async def command() -> None:
        async with world.shop.unit() as unit:
            await late.charge(unit, world.shop.street.community, through)

    await world.do("late charges", command)


async def relieve(world: World) -> None:
    """Ask for a write-off and let another person grant it."""
    shop, flat = world.shop, _flat(world)
    async with shop.ground.database.view(shop.street.tenant) as session:
        lines = await billing.open_lines(session, shop.accounts[flat])
    if not lines:
        return
    line = world.dice.choice(lines)
    wish = ReliefWish(
        relief_id=world.new_id(),
        account_id=shop.accounts[flat],
        kind=world.dice.choice((ReliefKind.WRITE_OFF, ReliefKind.WAIVER)),
        lines=(RelievedLine(line=line.ref, fen=world.dice.randint(1, line.open_fen)),),
        reason="困难家庭",
    )

    async def ask() -> None:
        async with shop.unit() as unit:
            await arrears.ask(unit, wish)

    async def grant() -> None:
        async with shop.unit(CHIEF) as unit:
            await arrears.decide(unit, wish.relief_id, grants=True)

    if await world.do("relief asked", ask):
        await world.do("relief granted", grant)


async def note_a_fund(world: World) -> None:
    """Money of the owners' fund comes in."""
    entry = FundEntry(
        entry_id=world.new_id(),
        community_id=world.shop.street.community,
        charge_item_id=ChargeItemId(world.shop.adverts.charge_item_id),
        kind=world.dice.choice(tuple(EntryKind)),
        fen=world.dice.randrange(1_000, 50_000),
        day=world.shop.ground.clock.now().date(),
        words_zh="电梯广告租金",
        words_en="rent of lift adverts",
        evidence="合同 2026-3",
    )

    async def command() -> None:
        async with world.shop.unit() as unit:
            await disclosure.record(unit, entry)

    await world.do("fund entry", command)


async def bring_balances(world: World) -> None:
    """Import balances of an older book, and now and then take them back."""
    shop, import_id = world.shop, world.new_id()
    rows = [
        {"房号": room, "收费项代码": "levy", "欠费金额": f"{fen}", "应缴日": "2026-01-15"}
        for room, fen in (("1-1-101", world.dice.randrange(1, 900)), ("1-1-201", -world.dice.randrange(1, 90)))
    ]
    content = csv_text(columns_of(ImportKind.OPENINGS), rows)
    upload = Upload(community_id=shop.street.community, kind=ImportKind.OPENINGS, file_name="t.csv", content=content)

    async def command() -> None:
        async with shop.unit() as unit:
            await imports.apply(unit, import_id, upload)

    async def undo() -> None:
        async with shop.unit() as unit:
            await imports.undo(unit, import_id)

    if await world.do("balances imported", command) and world.dice.random() < 0.6:
        await world.do("import undone", undo)


async def seal_days(world: World) -> None:
    """Seal what has been open for its time; the schedule may fire twice."""
    day = world.shop.ground.clock.now().date().isoformat()

    async def command() -> None:
        async with world.shop.unit() as unit:
            unit.enqueue(NewJob(kind=ledger_tasks.SEAL, key=f"seal:{day}", payload={"day": day}))

    await world.do("days sealed", command)


_LODGERS = """
    select a.account_id from account a
      join party_premises r on r.tenant_id = a.tenant_id and r.premises_id = a.premises_id and r.party_id = a.party_id
     where r.role = 'payer' and r.ends is null order by md5(a.account_id::text || %(salt)s) limit 1"""


async def let_a_flat(world: World) -> None:
    """Let a flat to somebody who pays for it from the first of the next month on."""
    shop, flat = world.shop, world.shop.street.flats[_flat(world)][0]
    starts = nth_month(shop.ground.clock.now().date().replace(day=1), 1)

    async def command() -> None:
        async with shop.unit() as unit:
            lodger = await estate.add_party(unit, kind=PartyKind.PERSON, name="租客")
            await estate.relate(unit, party_id=lodger, premises_id=flat, role=Role.PAYER, starts=starts)
            await billing.open_accounts(unit, shop.street.community, {(flat, lodger)})

    await world.do("flat let", command)


async def move_out(world: World) -> None:
    """Settle with somebody who leaves today: last bill, what was paid ahead, statement."""
    shop, account = world.shop, world.asked(_LODGERS)
    if account is None:
        return
    today = shop.ground.clock.now().date()
    wish = MoveOut(settlement_id=world.new_id(), account_id=AccountId(account), gone_on=today)
    try:
        seen = await settlement.preview(shop.ground.database, shop.street.tenant, CLERK, rate_period, wish)
    except RefusalError as refusal:
        world.refused[f"moving out: {type(refusal).__name__}"] += 1
        return

    async def command() -> None:
        async with shop.unit() as unit:
            await settlement.settle(unit, rate_period, wish, preview_sha=seen.sha)

    await world.do("moving out", command)


async def close_a_period(world: World) -> None:
    """Close the month that follows the last closed one, once it is over."""
    shop, community = world.shop, world.shop.street.community
    async with shop.ground.database.view(shop.street.tenant) as session:
        closed = await periods.closed_periods(session, community)
    month = nth_period(closed[-1].period.end, 0) if closed else Period(OPENED, FIRST_MONTH)
    if month.end >= shop.ground.clock.now().date():
        return

    async def command() -> None:
        async with shop.unit() as unit:
            await periods.close_period(unit, community, month)

    await world.do("period closed", command)


DEEDS: Mapping[Deed, int] = {
    bill_a_month: 4,
    charge_once: 2,
    withdraw_a_charge: 2,
    correct_an_area: 3,
    charge_late: 2,
    relieve: 3,
    till_deeds.pay_cash: 6,
    till_deeds.pay_online: 6,
    till_deeds.take_a_statement: 2,
    till_deeds.identify: 2,
    till_deeds.refund: 5,
    till_deeds.bring_a_deposit: 3,
    till_deeds.keep_of_a_deposit: 3,
    till_deeds.return_a_deposit: 2,
    note_a_fund: 1,
    bring_balances: 2,
    seal_days: 2,
    let_a_flat: 2,
    move_out: 2,
    close_a_period: 1,
    meter_deeds.report: 6,
    meter_deeds.read_dials: 2,
    meter_deeds.confirm_turns: 1,
    meter_deeds.swap_a_meter: 1,
    meter_deeds.correct_usage: 2,
}
