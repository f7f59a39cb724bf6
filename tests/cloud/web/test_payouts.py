"""A payment that its channel no longer takes back goes out by bank, and the statement closes it: form to proof."""

from __future__ import annotations

import re
from uuid import UUID

import httpx
import pytest_asyncio

from cloud.identity.policy import RoleName
from cloud.ledger.accounts import Book
from cloud.reconciliation import transfers
from cloud.refunds import service
from cloud.refunds.values import Refund
from cloud.tariffs.charge import FundClass
from tests.cloud.refunds.till import LIMITS
from tests.cloud.web.browsing import send
from tests.cloud.web.front import Front, words_of

_ID = re.compile(r'name="refund_id" value="([^"]+)"')
_HEAD = "交易日期,交易流水号,借方发生额,贷方发生额,余额,对方单位名称,对方账号,摘要\n"


@pytest_asyncio.fixture
async def bank(front: Front) -> UUID:
    """A bank account, limits, and a bill of 200 yuan paid online more than a year ago."""
    counter = front.counter
    book = Book(
        community_id=counter.office.site.community_id, legal_entity_id=counter.entity, fund_class=FundClass.OPERATING
    )
    await counter.bill(0, 20_000)
    await counter.settle(await counter.start(amount_fen=20_000))
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        await service.set_policy(unit, counter.office.site.community_id, LIMITS)
        account = await transfers.add_bank_account(unit, book, bank="工商银行", number="6222 0000 1111 2222")
    counter.office.clock.advance(days=366)
    return account


async def ask(front: Front, browser: httpx.AsyncClient, bank: UUID, **more: str) -> httpx.Response:
    (payment,) = await front.counter.payments()
    page = f"/refunds/payments/{payment.payment_id}"
    shown = (await browser.get(page)).text
    assert "只能以现金或银行转账退回" in shown
    (refund_id,) = _ID.findall(shown)
    told = {"payee_name": "张三丰", "payee_number": "6217 0000 1234 5678", **more}
    wish = {"refund_id": refund_id, "amount": "150", "reason": "装修未动工", "way": f"bank:{bank}", **told}
    return await send(browser, page, page, wish)


async def approved(front: Front, bank: UUID) -> Refund:
    async with front.person(RoleName.CASHIER) as cashier:
        path = (await ask(front, cashier, bank)).headers["location"].split("?")[0]
    for _ in range(2):
        async with front.person(RoleName.MANAGER) as boss:
            assert (await send(boss, path, f"{path}/verdicts", {"approves": "true", "note": ""})).status_code == 303
    await front.counter.work()
    return await standing(front, path)


async def standing(front: Front, path: str) -> Refund:
    async with front.counter.database.view(front.counter.tenant) as session:
        return await service.refund(session, UUID(path.rsplit("/", 1)[1]))


async def test_two_persons_the_file_the_slip_and_the_statement_bring_an_old_refund_home(
    front: Front, bank: UUID
) -> None:
    refund = await approved(front, bank)
    path = f"/payouts/{refund.refund_id}"
    async with front.person(RoleName.CASHIER) as payer:
        page = await payer.get("/payouts")
        assert all(words in words_of(page) for words in ("¥150.00", "装修未动工", "****5678"))
        assert "张三丰" not in page.text
        assert "6217000012345678" not in page.text
        file = await send(payer, "/payouts", "/payouts/file", {"bank_account_id": str(bank)})
        assert f"张三丰,6217000012345678\t,150.00,{refund.refund_number}" in file.content.decode("gb18030")
        assert (await send(payer, "/payouts", f"{path}/sent", {"reference": "HD-20270201-7"})).status_code == 303
        assert "data-due" not in (await payer.get("/payouts")).text
        assert f"{path}/arrived" not in (await payer.get("/payouts")).text
        himself = await send(payer, "/payouts", f"{path}/arrived", {})
        assert himself.status_code == 409
        assert "须由他人按银行流水确认" in himself.text
    async with front.person(RoleName.CASHIER) as checker:
        day = front.counter.office.clock.now().date()
        row = f"{day},0009,150.00,,850.00,张三丰,6217000012345678,{refund.refund_number}\n"
        upload = {"file": ("icbc.csv", (_HEAD + row).encode("gb18030"), "text/csv")}
        token = re.findall(r'name="csrf" value="([^"]+)"', (await checker.get("/bank")).text)[0]
        fields = {"csrf": token, "bank_account_id": str(bank), "kind": "icbc"}
        assert (await checker.post("/bank/files", data=fields, files=upload)).status_code == 303
        assert "没有在途付款" in words_of(await checker.get("/payouts"))
        assert "没有挂账" in words_of(await checker.get("/bank"))
    assert (await standing(front, path)).arrived_at is not None


async def test_a_payout_that_came_back_can_be_asked_for_again(front: Front, bank: UUID) -> None:
    refund = await approved(front, bank)
    path = f"/payouts/{refund.refund_id}"
    async with front.person(RoleName.CASHIER) as payer:
        await send(payer, "/payouts", f"{path}/sent", {"reference": "HD-20270201-7"})
        back = await send(payer, "/payouts", f"{path}/back", {"reason": "账号与户名不符"})
        assert "done=payout-back" in back.headers["location"]
    async with front.person(RoleName.CASHIER) as cashier:
        again = await ask(front, cashier, bank)
    assert "done=refund-waits" in again.headers["location"]


async def test_a_bank_account_of_another_book_a_payee_without_number_and_no_way_are_refused(
    front: Front, bank: UUID
) -> None:
    counter = front.counter
    fund = Book(
        community_id=counter.office.site.community_id, legal_entity_id=counter.entity, fund_class=FundClass.MAINTENANCE
    )
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        other = await transfers.add_bank_account(unit, fund, bank="工商银行", number="6222 0000 1111 3333")
    async with front.person(RoleName.CASHIER) as cashier:
        told = await ask(front, cashier, other)
        assert told.status_code == 409
        assert "此银行账户不属于该收款的公司和资金" in told.text
        assert (await ask(front, cashier, bank, way=f"bank:{UUID(int=9)}")).status_code == 404
        assert (await ask(front, cashier, bank, way="bank:junk")).status_code == 400
        assert (await ask(front, cashier, bank, payee_number="12")).status_code == 400
        assert (await ask(front, cashier, bank, way="dog:1")).status_code == 400
        assert (await ask(front, cashier, bank, way="")).status_code == 409
    async with front.person(RoleName.TECHNICIAN) as technician:
        assert (await technician.get("/payouts")).status_code == 403
