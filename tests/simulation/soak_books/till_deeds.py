"""What people do at the counter, the bank and with deposits: money in and money out."""

from __future__ import annotations

from uuid import UUID

from cloud.billing import service as billing
from cloud.deposits import deductions
from cloud.deposits import service as deposits
from cloud.deposits.deductions import Proposal
from cloud.deposits.rules import ConditionKind, DepositKind
from cloud.deposits.values import Condition, NewDeposit
from cloud.payments import desk, remittance
from cloud.payments.channel import Channel
from cloud.payments.desk import CashReceipt
from cloud.payments.service import Way
from cloud.payments.values import IntentRequest
from cloud.reconciliation import transfers
from cloud.refunds import service as refunds
from cloud.refunds.values import RefundRequest
from cloud.tariffs.charge import FundClass
from common.ids import PaymentId
from tests.cloud.sweep.shop import BOX, CHIEF, CLERK, KEEPER
from tests.simulation.soak_books.world import World
from tests.support.randomness import seeded_bytes

_NOTIFICATIONS = {"notified late or never": "notify_never", "notified twice": "notify_parallel"}


def _flat(world: World) -> int:
    return world.dice.randrange(len(world.shop.accounts))


async def pay_cash(world: World) -> None:
    """Pay at the counter, now and then more than is owed."""
    shop = world.shop
    fen = world.dice.randrange(1_000, 150_000)
    receipt = CashReceipt(
        payment_id=PaymentId(world.new_id()),
        account_id=shop.accounts[_flat(world)],
        tendered_fen=fen + 100,
        amount_fen=fen,
    )

    async def command() -> None:
        async with shop.unit() as unit:
            await desk.record_cash(unit, shop.shift, receipt)

    if await world.do("cash payment", command):
        world.auditor.acknowledged[receipt.payment_id] = fen
        world.remember("payment", receipt.payment_id)


async def pay_online(world: World) -> None:
    """Begin a payment, let the payer scan, and let the channel tell us: once, twice, or never."""
    shop = world.shop
    request = IntentRequest(
        intent_id=world.new_id(),
        account_id=shop.accounts[_flat(world)],
        legal_entity_id=shop.street.entity,
        fund_class=FundClass.OPERATING,
        bill_ids=(),
        amount_fen=world.dice.randrange(1_000, 150_000),
    )
    started = []

    async def command() -> None:
        way = Way.usual(Channel.WECHAT)
        started.append(await world.cashier.start(shop.street.tenant, CLERK, request, way))

    if not await world.do("online payment", command) or started[-1].code_url is None:
        return
    attempt = started[-1]
    for words, kind in _NOTIFICATIONS.items():
        if world.dice.random() < 0.2:
            world.faults[words] += 1
            value = 3 if kind == "notify_parallel" else 1
            await world.channel.control("mischief", kind=kind, order=attempt.order_number, value=value)
    await world.channel.control("pay", number=attempt.order_number)
    await world.tell()


async def take_a_statement(world: World) -> None:
    """Import a bank statement: one transfer with its code, one of nobody."""
    shop, flat = world.shop, _flat(world)
    fen, day = world.dice.randrange(1_000, 90_000), shop.ground.clock.now().date()
    begin = world.banked_fen
    world.banked_fen += 2 * fen
    async with shop.unit() as unit:
        code = await remittance.code_for(unit, shop.accounts[flat], seeded_bytes(flat + 50))
    number = world.dice.randrange(10**10)
    raw = (
        f":20:S\n:60F:C{day:%y%m%d}CNY{_comma(begin)}\n"
        f":61:{day:%y%m%d}C{_comma(fen)}NTRFNONREF//B{number:011d}\n:86:{code}\n"
        f":61:{day:%y%m%d}C{_comma(fen)}NTRFNONREF//C{number:011d}\n:86:物业费\n"
        f":62F:C{day:%y%m%d}CNY{_comma(world.banked_fen)}\n-\n"
    ).encode()

    async def command() -> None:
        async with shop.unit() as unit:
            await transfers.import_file(unit, BOX, shop.bank, raw, "mt940")

    await world.do("bank statement", command)


async def identify(world: World) -> None:
    """Say whose a waiting bank line is."""
    shop = world.shop
    line = world.asked("select bank_line_id from bank_line where state = 'suspense' and fen > 0 order by 1 limit 1")
    account = shop.accounts[_flat(world)]
    if line is None:
        return

    async def command() -> None:
        async with shop.unit() as unit:
            await transfers.identify(unit, line, account)

    await world.do("bank line identified", command)


async def refund(world: World) -> None:
    """Ask for a part of a payment back: in cash, handed out or withdrawn, or the way it came."""
    shop = world.shop
    payment = world.asked(
        "select payment_id from payment where fund_class = 'operating' order by md5(payment_id::text || %(salt)s)"
    )
    if payment is None:
        return
    wish = RefundRequest(
        refund_id=world.new_id(),
        payment_id=PaymentId(payment),
        amount_fen=world.dice.randrange(1, 20_000),
        reason="paid twice",
        cash_box_id=world.dice.choice((None, shop.cash_box)),
    )
    numbers = seeded_bytes(world.dice.randrange(10**9))

    async def ask() -> None:
        async with shop.unit() as unit:
            await refunds.request(unit, wish, numbers)

    async def approve() -> None:
        async with shop.unit(CHIEF) as unit:
            await refunds.judge(unit, wish.refund_id, approves=True)

    async def end() -> None:
        async with shop.unit() as unit:
            if ends:
                await refunds.hand_out(unit, wish.refund_id, shop.shift, signed_as="张三")
            else:
                await refunds.withdraw(unit, wish.refund_id, reason="stays on the bill")

    ends = world.dice.random() < 0.7
    if not await world.do("refund asked", ask):
        return
    await world.do("refund approved", approve)
    await world.work()
    if wish.cash_box_id is not None:
        await world.do("refund handed out" if ends else "refund withdrawn", end)


async def bring_a_deposit(world: World) -> None:
    """Open a deposit and take it in cash."""
    shop = world.shop
    fen, payment = world.dice.randrange(1_000, 80_000), PaymentId(world.new_id())
    new = NewDeposit(
        deposit_id=world.new_id(),
        account_id=shop.accounts[_flat(world)],
        legal_entity_id=shop.street.entity,
        kind=DepositKind.RENOVATION,
        amount_fen=fen,
        purpose="kitchen",
        objection_days=7,
        conditions=(Condition(kind=ConditionKind.INSPECTION_PASSED),),
    )

    async def command() -> None:
        async with shop.unit(KEEPER) as unit:
            await deposits.open_deposit(unit, new)
        async with shop.unit(KEEPER) as unit:
            await deposits.take_cash(unit, new.deposit_id, shop.deposit_shift, payment_id=payment, tendered_fen=fen)

    if await world.do("deposit taken", command):
        world.auditor.acknowledged[payment] = fen
        world.remember("deposit", new.deposit_id)


async def keep_of_a_deposit(world: World) -> None:
    """Keep a part of a deposit for an open line, with the payer's word."""
    shop, deposit_id = world.shop, world.some("deposit")
    if deposit_id is None:
        return
    async with shop.ground.database.view(shop.street.tenant) as session:
        held = await deposits.deposit(session, deposit_id)
        lines = await billing.open_lines(session, held.account_id)
    if not lines or not held.held_fen:
        return
    line = world.dice.choice(lines)
    proposal = Proposal(
        line=line.ref, amount_fen=world.dice.randint(1, min(line.open_fen, held.held_fen)), evidence="a broken tile"
    )
    proposed: list[UUID] = []

    async def propose() -> None:
        async with shop.unit() as unit:
            found = await deductions.propose(unit, deposit_id, proposal)
            await deductions.answer(unit, found.deduction_id, agrees=True)
        proposed.append(found.deduction_id)

    async def apply() -> None:
        async with shop.unit(CHIEF) as unit:
            await deductions.apply(unit, proposed[-1])

    if await world.do("deduction proposed", propose):
        await world.do("deduction applied", apply)


async def return_a_deposit(world: World) -> None:
    """Meet the condition of a deposit; what is left of it goes back."""
    deposit_id = world.some("deposit")
    if deposit_id is None:
        return

    async def command() -> None:
        async with world.shop.unit() as unit:
            await deposits.meet(unit, deposit_id, ConditionKind.INSPECTION_PASSED, evidence="inspected")

    await world.do("deposit released", command)


def _comma(fen: int) -> str:
    return f"{fen // 100},{fen % 100:02d}"
