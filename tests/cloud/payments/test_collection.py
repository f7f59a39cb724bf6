"""Cash, a card and a shown code in one go: each books its own payment, and the sum is what was to be taken."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio

from cloud.kit.errors import ConflictError, NotFoundError
from cloud.kit.secretbox import SecretBox
from cloud.ledger.accounts import Book
from cloud.payments import collection, desk, merchants
from cloud.payments.channel import Channel
from cloud.payments.collection import CardReceipt, CardSlip
from cloud.payments.desk import CashReceipt
from cloud.payments.errors import NoMerchantAccountError
from cloud.payments.merchants import NewMerchantAccount
from cloud.tariffs.charge import FundClass
from common.errors import RefusalError
from common.ids import PaymentId
from tests.cloud.billing.conftest import Office
from tests.cloud.payments.counter import Counter
from tests.cloud.payments.halls import Hall, open_hall

GO = UUID(int=77)
SLIP = CardSlip(terminal="10203040", batch="1", voucher="12", reference="260101123456", card_tail="0001")


@pytest_asyncio.fixture
async def hall(office: Office, tmp_path: Path) -> AsyncIterator[Hall]:
    async with open_hall(office, tmp_path) as opened:
        await opened.counter.bill(0, 10_000, 20_000)
        yield opened


def fresh() -> PaymentId:
    return PaymentId(UUID(bytes=secrets.token_bytes(16)))


async def shift_of(counter: Counter) -> UUID:
    book = Book(
        community_id=counter.office.site.community_id,
        legal_entity_id=counter.entity,
        fund_class=FundClass.OPERATING,
    )
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        box = await desk.add_cash_box(unit, book, "前台")
        return (await desk.open_shift(unit, box, opening_fen=0)).cash_shift_id


async def add_terminal(counter: Counter) -> UUID:
    new = NewMerchantAccount(
        legal_entity_id=counter.entity,
        fund_class=FundClass.OPERATING,
        channel=Channel.POS,
        label="POS",
        merchant_number="821290058110097",
        app_id="",
        merchant_serial="",
    )
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        box = SecretBox(bytes(range(32)))
        return await merchants.add_merchant_account(unit, box, new, secrets.token_urlsafe(24))


async def swipe(counter: Counter, shift: UUID, fen: int, slip: CardSlip = SLIP) -> PaymentId:
    account_id = (await counter.request(0)).account_id
    receipt = CardReceipt(payment_id=fresh(), account_id=account_id, amount_fen=fen, slip=slip, collection_id=GO)
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        first = await collection.take_card(unit, shift, receipt)
        again = await collection.take_card(unit, shift, receipt)
    assert first == again
    return first.payment_id


async def test_three_means_make_one_receipt_and_the_box_holds_the_cash_alone(hall: Hall) -> None:
    counter = hall.counter
    await add_terminal(counter)
    shift = await shift_of(counter)
    await swipe(counter, shift, 4_000)
    account_id = (await counter.request(0)).account_id
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        cash = CashReceipt(
            payment_id=fresh(), account_id=account_id, tendered_fen=5_000, amount_fen=3_000, collection_id=GO
        )
        await desk.record_cash(unit, shift, cash)
    await hall.start(Channel.WECHAT, shown=True, amount_fen=3_000, collection_id=GO)
    await counter.work()
    async with counter.database.view(counter.tenant) as session:
        found = await collection.collection(session, GO, account_id)
        held = await desk.shift(session, shift)
    assert {one.channel: one.amount_fen for one in found.payments} == {
        Channel.POS: 4_000,
        Channel.CASH: 3_000,
        Channel.WECHAT: 3_000,
    }
    assert (found.taken_fen, found.waiting, held.expected_fen) == (10_000, (), 3_000)
    assert collection.rest_fen(10_000, found.payments) == 0
    assert await counter.open_fen() == 0


async def test_a_code_that_waits_is_counted_as_under_way(hall: Hall) -> None:
    await hall.wechat.control("mischief", kind="code_waits")
    await hall.start(Channel.WECHAT, shown=True, amount_fen=3_000, collection_id=GO)
    account_id = (await hall.counter.request(0)).account_id
    async with hall.counter.database.view(hall.counter.tenant) as session:
        found = await collection.collection(session, GO, account_id)
    assert (found.taken_fen, found.waiting_fen) == (0, 3_000)
    assert collection.rest_fen(10_000, found.payments, found.waiting_fen) == 7_000


async def test_a_slip_is_entered_once(hall: Hall) -> None:
    await add_terminal(hall.counter)
    shift = await shift_of(hall.counter)
    await swipe(hall.counter, shift, 4_000)
    with pytest.raises(ConflictError):
        await swipe(hall.counter, shift, 4_000)
    assert len(await hall.counter.payments()) == 1


async def test_without_a_terminal_of_the_box_s_fund_no_card_is_taken(hall: Hall) -> None:
    shift = await shift_of(hall.counter)
    with pytest.raises(NoMerchantAccountError):
        await swipe(hall.counter, shift, 4_000)


async def test_another_accounts_collection_is_not_shown(hall: Hall) -> None:
    await add_terminal(hall.counter)
    await swipe(hall.counter, await shift_of(hall.counter), 4_000)
    other = (await hall.counter.request(1)).account_id
    async with hall.counter.database.view(hall.counter.tenant) as session:
        with pytest.raises(NotFoundError):
            await collection.collection(session, GO, other)


@pytest.mark.parametrize(
    "changes",
    [{"terminal": "x"}, {"batch": "a"}, {"voucher": ""}, {"reference": "1 2 3 4 5 6"}, {"card_tail": "12345"}],
)
def test_a_figure_that_cannot_stand_on_a_slip_is_refused(changes: dict[str, str]) -> None:
    good = {"terminal": "10203040", "batch": "1", "voucher": "12", "reference": "260101123456", "card_tail": "0001"}
    assert CardSlip(**good).number == "10203040-000001-000012"
    with pytest.raises(RefusalError):
        CardSlip(**{**good, **changes})
