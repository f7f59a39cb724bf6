"""A resident sees his own bills, every line explained, what corrects them, receipts, the account; nobody else's."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from cloud.billing import service as billing
from cloud.identity.policy import RoleName
from cloud.kit.db import Database
from tests.cloud.billing import builders as b
from tests.cloud.billing.lakeside import RESPONSE, Lakeside, bill_january
from tests.cloud.web.browsing import reading, send, sign_in
from tests.cloud.web.front import Front, words_of
from tests.support import api
from tests.support.clock import SettableClock


async def test_the_first_page_lists_what_is_to_pay_of_the_own_accounts_only(front: Front) -> None:
    await front.bill_some_of_everything()
    (own,), (other,) = await front.bills(0), await front.bills(1)
    async with front.resident() as browser:
        words = words_of(await browser.get("/my"))
    assert "花园 1-1-001" in words
    assert "¥332.00" in words
    assert own.number in words
    assert other.number not in words


async def test_the_code_for_the_kiosk_stands_on_the_first_page_and_on_the_bill(front: Front) -> None:
    await front.bill_some_of_everything()
    (bill,) = await front.bills()
    own, other = [await front.account(flat) for flat in (0, 1)]
    async with front.counter.database.view(front.counter.tenant) as session:
        codes = [(await billing.account(session, account)).lookup_code for account in (own, other)]
    async with front.resident() as browser:
        for path in ("/my", f"/bills/{bill.bill_id}"):
            words = words_of(await browser.get(path))
            assert f"自助机查询码 Code for the kiosk {codes[0]}" in words
            assert codes[1] not in words


async def test_a_resident_without_party_is_told_what_to_do(front: Front) -> None:
    async with front.person(RoleName.RESIDENT) as browser:
        assert "您的名下还没有房屋账户" in words_of(await browser.get("/my"))


async def test_a_bill_shows_its_composition_and_the_stored_explanation_of_every_line(front: Front) -> None:
    await front.bill_some_of_everything()
    (bill,) = await front.bills()
    async with front.resident() as browser:
        page = await browser.get(f"/bills/{bill.bill_id}")
    words = words_of(page)
    assert page.text.count('<rect class="tone-') == 6
    assert "物业费" in words
    assert "61.26%" in words
    assert words.count("合计 203.40 元") == words.count("Total 203.40 CNY") == 1
    assert "用量: 20340 度 × 0.01 = 203.40 元" in words
    assert "含税额 tax included ¥11.51" in words
    assert "style=" not in page.text


async def test_an_adjustment_stands_beside_what_it_corrects_on_both_documents(front: Front) -> None:
    await front.bill_some_of_everything()
    (bill,) = await front.bills()
    water = b.Item(code="水费", number=3, entity=front.counter.entity)
    front.counter.office.set(front.flats[0], water, 0, 4_000)
    (adjustment,) = await front.counter.office.correct([front.flats[0]], 0)
    async with front.resident() as browser:
        original = words_of(await browser.get(f"/bills/{bill.bill_id}"))
        credit = words_of(await browser.get(f"/bills/{adjustment.bill_id}"))
        first = words_of(await browser.get("/my"))
    assert f"已由调整单更正 Corrected by {adjustment.number}/1 -¥1.25" in original
    assert "更正后 now ¥40.00" in original
    assert f"更正 Corrects {bill.number}/" in credit
    assert "原金额 billed ¥41.25" in credit
    assert "合计 40.00 元" in credit
    assert "调整单 adjustment" in first
    assert "¥330.75" in first


@pytest.mark.parametrize("role", [RoleName.TECHNICIAN, RoleName.RESIDENT])
async def test_a_stranger_to_the_account_is_answered_as_if_there_were_none(front: Front, role: RoleName) -> None:
    await front.bill_some_of_everything()
    (bill,) = await front.bills()
    account = await front.account()
    async with front.person(role, 1) as browser:
        for path in (f"/bills/{bill.bill_id}/lines/1", f"/accounts/{account}", f"/bills/{bill.bill_id}"):
            assert (await browser.get(path)).status_code == 404
        assert (await send(browser, f"/bills/{bill.bill_id}", f"/bills/{bill.bill_id}/pay", {})).status_code == 404
        assert (await browser.get(f"/receipts/{UUID(int=9)}")).status_code == 404


async def test_nobody_who_is_not_signed_in_sees_a_bill(front: Front) -> None:
    await front.bill_some_of_everything()
    (bill,) = await front.bills()
    async with reading(front.app) as stranger:
        for path in ("/my", f"/bills/{bill.bill_id}"):
            answer = await stranger.get(path)
            assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")


async def test_the_pay_button_leads_to_the_cashier_address_and_the_code_is_put_on_the_bill_on_demand(
    front: Front,
) -> None:
    await front.bill_some_of_everything()
    (bill,) = await front.bills()
    path = f"/bills/{bill.bill_id}"
    async with front.resident() as browser:
        assert "qrline" not in (await browser.get(path)).text
        put = await send(browser, path, f"{path}/pay-code", {})
        assert (put.status_code, put.headers["location"]) == (303, path)
        assert "qrline" in (await browser.get(path)).text
        led = await send(browser, path, f"{path}/pay", {})
    assert led.status_code == 303
    assert led.headers["location"].startswith("/pay/")


async def test_a_form_without_its_token_pays_nothing(front: Front) -> None:
    await front.bill_some_of_everything()
    (bill,) = await front.bills()
    async with front.resident() as browser:
        assert (await browser.post(f"/bills/{bill.bill_id}/pay", data={})).status_code == 403


async def test_a_payment_shows_on_receipt_account_and_in_the_chain_of_the_line_it_settled(front: Front) -> None:
    await front.bill_some_of_everything()
    (bill,) = await front.bills()
    await front.counter.settle(await front.counter.start(amount_fen=10_000))
    (payment,) = await front.counter.payments()
    async with front.resident() as browser:
        receipt = words_of(await browser.get(f"/receipts/{payment.payment_id}"))
        statement = words_of(await browser.get(f"/accounts/{await front.account()}"))
        chain = words_of(await browser.get(f"/bills/{bill.bill_id}/lines/1"))
        home = words_of(await browser.get("/my"))
    for words in (receipt, statement, chain, home):
        assert payment.number in words
    assert "收款单位 Received by 花园物业有限公司" in receipt
    assert f"{bill.number}/" in receipt
    assert "收款核销 paid" in statement
    assert "收款核销 paid ¥" in chain
    assert "这项费用不按表计读数计算" in chain
    assert "¥232.00" in home


async def test_money_paid_ahead_is_shown(front: Front) -> None:
    await front.bill_some_of_everything()
    await front.counter.settle(await front.counter.start(amount_fen=40_000))
    async with front.resident() as browser:
        home = words_of(await browser.get("/my"))
        statement = words_of(await browser.get(f"/accounts/{await front.account()}"))
    assert "预存余额 Paid ahead ¥68.00" in home
    assert "转入预存 paid ahead" in statement


async def test_a_metered_line_leads_to_the_readings_the_signed_batch_and_the_bytes_of_the_device(
    lakeside: Lakeside, worker_database: Database, clock: SettableClock, tmp_path: Path
) -> None:
    number = await bill_january(lakeside, worker_database, clock)
    async with lakeside.database.view(lakeside.tenant) as session:
        view = await billing.bill_numbered(session, number)
    (line,) = await lakeside.traced(number)
    code = await api.add_person(
        lakeside.database, lakeside.tenant, "jia", RoleName.RESIDENT, party=view.account.party_id
    )
    async with api.running_api(lakeside.database, tmp_path) as app, reading(app) as browser:
        await sign_in(browser, code)
        words = words_of(await browser.get(f"/bills/{view.summary.bill_id}/lines/1"))
    batch = line.registers[-1].batch
    assert batch is not None
    assert "这笔费用从哪来 Where this figure comes from" in words
    assert "电费 electricity · 2026-01-01 – 2026-01-31 · ¥155.00" in words
    assert "出账 billed ¥155.00" in words
    assert "表号 meter E-7" in words
    assert "电量 energy 310" in words
    assert "打开本页时已重新验证签名，内容未被改动。" in words
    for link in (batch.digest, batch.key_id, RESPONSE.hex(), line.rated.input_sha):
        assert link in words
