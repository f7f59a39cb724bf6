"""What the counter, the refunds, the deposits and the bank do: readied and commanded, for the sweep."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy import text

from cloud.deposits import deductions
from cloud.deposits import service as deposits
from cloud.deposits.deductions import Proposal
from cloud.deposits.rules import ConditionKind, DepositKind
from cloud.deposits.values import Condition, NewDeposit
from cloud.ledger.journals import LineRef
from cloud.payments import collection, desk, remittance
from cloud.payments.collection import CardReceipt, CardSlip
from cloud.reconciliation import transfers
from cloud.refunds import payouts
from cloud.refunds import service as refunds
from cloud.refunds.payouts import Payee, Purse
from cloud.refunds.values import RefundRequest
from common.ids import PaymentId
from tests.cloud.sweep.shop import BOX, CHIEF, DEBT_FEN, KEEPER, LIMITS, OTHER_CHIEF, Facts, Shop
from tests.support.randomness import seeded_bytes

_ID = UUID(int=0xABC0001)
_HELD_FEN = 50_000


async def cash_taken(shop: Shop, _: Facts) -> None:
    await shop.pay(0, DEBT_FEN + 5_000)


async def card_taken(shop: Shop, _: Facts) -> None:
    slip = CardSlip(terminal="10203040", batch="1", voucher="1", reference="260000000001", card_tail="0001")
    receipt = CardReceipt(
        payment_id=PaymentId(_ID), account_id=shop.accounts[0], amount_fen=30_000, slip=slip, collection_id=_ID
    )
    async with shop.unit() as unit:
        await collection.take_card(unit, shop.shift, receipt)


async def shift_closed(shop: Shop, _: Facts) -> None:
    async with shop.unit() as unit:
        await desk.close_shift(unit, shop.shift, counted_fen=DEBT_FEN + 5_000 - 300, reason="a note is missing")


async def box_left_over(shop: Shop, facts: Facts) -> None:
    await cash_taken(shop, facts)
    await shift_closed(shop, facts)


async def shift_opened(shop: Shop, _: Facts) -> None:
    async with shop.unit() as unit:
        await desk.open_shift(unit, shop.cash_box, opening_fen=DEBT_FEN + 5_000, reason="a note was found")


def _refund(shop: Shop, **more: object) -> RefundRequest:
    fields: dict[str, object] = {"refund_id": _ID, "payment_id": PaymentId(UUID(int=0xCA001)), "amount_fen": 4_000}
    return RefundRequest(**(fields | {"reason": "paid twice", "cash_box_id": shop.cash_box} | more))  # type: ignore[arg-type]


async def paid_too_much(shop: Shop, _: Facts) -> None:
    await shop.pay(0, DEBT_FEN + 5_000)


async def refund_asked(shop: Shop, facts: Facts) -> None:
    async with shop.unit() as unit:
        asked = await refunds.request(unit, _refund(shop), seeded_bytes(3))
    facts["persons"] = asked.persons_needed


async def refund_reserved(shop: Shop, facts: Facts) -> None:
    await paid_too_much(shop, facts)
    await refund_asked(shop, facts)
    await _approved(shop, facts)


async def _approved(shop: Shop, facts: Facts) -> None:
    for person in (CHIEF, OTHER_CHIEF)[: facts["persons"]]:
        async with shop.unit(person) as unit:
            await refunds.judge(unit, _ID, approves=True)
    await shop.ground.work()


async def refund_approval_waits(shop: Shop, facts: Facts) -> None:
    await paid_too_much(shop, facts)
    async with shop.unit() as unit:
        await refunds.set_policy(unit, shop.street.community, replace(LIMITS, automatic_fen=1))
    await refund_asked(shop, facts)


async def refund_approved(shop: Shop, _: Facts) -> None:
    async with shop.unit(CHIEF) as unit:
        await refunds.judge(unit, _ID, approves=True)


async def refund_handed_out(shop: Shop, _: Facts) -> None:
    async with shop.unit() as unit:
        await refunds.hand_out(unit, _ID, shop.shift, signed_as="张三")


async def refund_withdrawn(shop: Shop, _: Facts) -> None:
    async with shop.unit() as unit:
        await refunds.withdraw(unit, _ID, reason="wants it on his bill")


async def payout_sent(shop: Shop, facts: Facts) -> None:
    await paid_too_much(shop, facts)
    async with shop.unit() as unit:
        purse = Purse(bank_account_id=shop.bank, book=await transfers.book_of(unit.session, shop.bank))
        payout = payouts.payout(BOX, shop.street.tenant, _ID, purse, Payee(name="张三", number="6217000012345678"))
        asked = await refunds.request(unit, _refund(shop, cash_box_id=None, payout=payout), seeded_bytes(3))
    facts["persons"] = asked.persons_needed
    await _approved(shop, facts)
    async with shop.unit() as unit:
        await payouts.sent(unit, _ID, reference="20260415000001")


async def payout_arrived(shop: Shop, _: Facts) -> None:
    async with shop.unit(CHIEF) as unit:
        await payouts.arrived(unit, _ID)


async def payout_came_back(shop: Shop, _: Facts) -> None:
    async with shop.unit(CHIEF) as unit:
        await payouts.came_back(unit, _ID, reason="账号与户名不符")


async def deposit_due(shop: Shop, _: Facts) -> None:
    new = NewDeposit(
        deposit_id=_ID,
        account_id=shop.accounts[0],
        legal_entity_id=shop.street.entity,
        kind=DepositKind.RENOVATION,
        amount_fen=_HELD_FEN,
        purpose="kitchen",
        objection_days=7,
        conditions=(Condition(kind=ConditionKind.INSPECTION_PASSED),),
    )
    async with shop.unit() as unit:
        await deposits.open_deposit(unit, new)


async def deposit_taken(shop: Shop, _: Facts) -> None:
    payment = PaymentId(UUID(int=0xDE1))
    async with shop.unit(KEEPER) as unit:
        await deposits.take_cash(unit, _ID, shop.deposit_shift, payment_id=payment, tendered_fen=_HELD_FEN)


async def deposit_held(shop: Shop, facts: Facts) -> None:
    await deposit_due(shop, facts)
    await deposit_taken(shop, facts)


async def deduction_agreed(shop: Shop, facts: Facts) -> None:
    await deposit_held(shop, facts)
    line = LineRef(bill_id=shop.debts[0].summary.bill_id, n=1)
    async with shop.unit() as unit:
        found = await deductions.propose(
            unit, _ID, Proposal(line=line, amount_fen=20_000, evidence="a broken tile, photographed")
        )
        await deductions.answer(unit, found.deduction_id, agrees=True)
    facts["deduction"] = found.deduction_id


async def deduction_applied(shop: Shop, facts: Facts) -> None:
    async with shop.unit(CHIEF) as unit:
        await deductions.apply(unit, facts["deduction"])


async def deposit_released(shop: Shop, _: Facts) -> None:
    async with shop.unit() as unit:
        await deposits.meet(unit, _ID, ConditionKind.INSPECTION_PASSED, evidence="inspected, nothing broken")


async def statement_written(shop: Shop, facts: Facts) -> None:
    async with shop.unit() as unit:
        code = await remittance.code_for(unit, shop.accounts[2], seeded_bytes(5))
    facts["raw"] = (
        ":20:S\n:60F:C260414CNY0,00\n"
        f":61:260414C300,00NTRFNONREF//B00000000001\n:86:{code}\n"
        ":61:260414C200,00NTRFNONREF//B00000000002\n:86:物业费\n"
        ":62F:C260414CNY500,00\n-\n"
    ).encode()


async def statement_imported(shop: Shop, facts: Facts) -> None:
    async with shop.unit() as unit:
        await transfers.import_file(unit, BOX, shop.bank, facts["raw"], "mt940")


async def line_in_suspense(shop: Shop, facts: Facts) -> None:
    await statement_written(shop, facts)
    await statement_imported(shop, facts)
    async with shop.ground.database.view(shop.street.tenant) as session:
        found = await session.execute(text("select bank_line_id from bank_line where state = 'suspense'"))
        facts["line"] = found.scalar_one()


async def line_identified(shop: Shop, facts: Facts) -> None:
    async with shop.unit() as unit:
        await transfers.identify(unit, facts["line"], shop.accounts[3], learn=True)
