"""Vouchers say what was refunded, held and settled; each paper says whether it still holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from secrets import token_bytes
from uuid import UUID

import pytest
import pytest_asyncio

from cloud import flow
from cloud.arrears import letters
from cloud.billing import service as billing
from cloud.documents import repository
from cloud.documents.errors import NotPrintableError
from cloud.documents.kinds import Holds, PaperKind
from cloud.documents.sources import Content, Standing, bill_items, content_of, owner_of, standing_of
from cloud.kit.events import Routes
from cloud.payments import links
from cloud.settlement.tables import SettlementRow
from cloud.settlement.values import Statement, StatementLine
from common.ids import BillId
from tests.cloud.deposits.vault import Vault, open_vault
from tests.cloud.documents.conftest import Stationer
from tests.cloud.payments.counter import PUBLIC_URL
from tests.cloud.refunds.till import open_till


@pytest.fixture
def routes() -> Routes:
    return flow.ROUTES


@pytest_asyncio.fixture
async def vault(stationer: Stationer) -> Vault:
    return await open_vault(open_till(stationer.counter))


async def content(stationer: Stationer, kind: PaperKind, subject_id: UUID) -> Content:
    async with stationer.press.database.view(stationer.tenant) as session:
        found = await content_of(session, kind, subject_id, stationer.counter.office.clock.now())
        assert (await owner_of(session, kind, subject_id)) == found.account
    return found


async def standing(stationer: Stationer, kind: PaperKind, subject_id: UUID) -> Standing:
    async with stationer.press.database.view(stationer.tenant) as session:
        return await standing_of(session, kind, subject_id)


async def test_a_refund_that_arrived_has_a_voucher_that_names_receipt_route_and_amount(
    stationer: Stationer, vault: Vault
) -> None:
    till = vault.till
    await till.set_policy()
    payment = await till.pay(400)
    refund = await till.judge(await till.refund(payment, 150))
    assert refund.arrived_at is not None
    made = (await content(stationer, PaperKind.REFUND_VOUCHER, refund.refund_id)).sheet
    facts = {fact[1]: fact[2] for fact in made["facts"]}
    assert facts["Receipt"] == payment.number
    assert facts["Route"] == "原路退回 the way it came"
    assert facts["Reason"] == "paid twice"
    assert made["totals"] == [["退款", "Refunded", "¥1.50"]]
    part = await standing(stationer, PaperKind.RECEIPT, payment.payment_id)
    assert (part.holds, part.by) == (Holds.CORRECTED, (refund.refund_number,))


async def test_a_deposit_has_a_voucher_once_it_is_held_and_it_is_void_once_it_went_back(
    stationer: Stationer, vault: Vault
) -> None:
    open_one = await vault.open()
    with pytest.raises(NotPrintableError, match="nobody has brought"):
        await content(stationer, PaperKind.DEPOSIT_VOUCHER, open_one.deposit_id)
    held = await vault.held(2_000)
    made = (await content(stationer, PaperKind.DEPOSIT_VOUCHER, held.deposit_id)).sheet
    assert made["totals"] == [["押金", "Deposit", "¥20.00"]]
    assert "stays the payer's" in made["notes"][0][1]
    assert (await standing(stationer, PaperKind.DEPOSIT_VOUCHER, held.deposit_id)).holds is Holds.CURRENT


async def test_a_receipt_names_the_payer_in_full_and_a_bill_hides_a_persons_name(stationer: Stationer) -> None:
    bill_id = await stationer.bill()
    made = (await content(stationer, PaperKind.BILL, bill_id)).sheet
    assert made["totals"] == [["合计", "Total", "¥203.40"]]
    assert {fact[1] for fact in made["facts"]} == {"Premises", "Name", "Period", "Issued", "Due", "Kiosk code"}


async def test_a_bill_says_which_line_rests_on_an_estimate(stationer: Stationer) -> None:
    bill_id = await stationer.bill()
    async with stationer.press.database.view(stationer.tenant) as session:
        (first, *_) = (await billing.bill(session, BillId(bill_id))).lines
    guessed = replace(first, line=replace(first.line, estimated=True))
    measured, estimated = bill_items([first, guessed])
    assert (measured.detail + " 估算 estimated", measured.fen) == (estimated.detail, estimated.fen)


async def test_a_move_out_statement_lists_what_is_owed_and_what_goes_back(stationer: Stationer) -> None:
    await stationer.bill()
    counter = stationer.counter
    account_id = await counter.office.account(counter.office.site.flats[0])
    statement = Statement(
        gone_on=date(2026, 3, 11),
        final_number="B-9",
        final_fen=500,
        owed=(StatementLine(number="B-9", name_zh="电费", name_en="Power", service="2026-03", fen=500),),
        owed_fen=500,
        ahead_fen=100,
        deposit_fen=2_000,
        from_deposit_fen=400,
        refund_fen=1_700,
        still_owed_fen=100,
    )
    async with stationer.press.database.unit(stationer.tenant, stationer.actor) as unit:
        settlement_id = unit.new_id()
        unit.session.add(
            SettlementRow(
                tenant_id=unit.tenant,
                community_id=counter.office.site.community_id,
                settlement_id=settlement_id,
                account_id=account_id,
                moved_out_on=statement.gone_on,
                bill_id=None,
                owed_fen=500,
                ahead_fen=100,
                deposit_fen=2_000,
                refund_fen=1_700,
                statement=dict(statement.to_plain()),
                preview_sha=statement.sha,
                settled_at=unit.now,
                settled_by=unit.actor.id,
            )
        )
        unit.record("settled", "settlement", settlement_id)
    made = (await content(stationer, PaperKind.MOVE_OUT, settlement_id)).sheet
    assert made["rows"] == [["电费 Power", "B-9 2026-03", "5.00"]]
    assert [total[2] for total in made["totals"]] == ["¥5.00", "¥1.00", "¥20.00", "¥4.00", "¥1.00", "¥17.00"]
    assert (await standing(stationer, PaperKind.MOVE_OUT, settlement_id)).holds is Holds.CURRENT
    paper = await stationer.issue(PaperKind.MOVE_OUT, settlement_id)
    assert await stationer.sealed(paper)


async def test_a_letter_of_arrears_names_its_debts_in_words_with_a_code_to_pay_and_is_void_once_paid(
    stationer: Stationer,
) -> None:
    bill_id = await stationer.bill()
    counter = stationer.counter
    account_id = await counter.office.account(counter.office.site.flats[0])
    counter.office.clock.advance(days=60)
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        (letter,) = await letters.make(unit, account_id, token_bytes)
    found = await content(stationer, PaperKind.ARREARS_LETTER, letter.letter_id)
    assert found.sheet["totals"] == [["逾期未缴", "Overdue", "¥203.40"]]
    assert found.sheet["words"] == "人民币贰佰零叁元肆角"
    assert found.pay_token == letter.pay_token
    paper = await stationer.issue(PaperKind.ARREARS_LETTER, letter.letter_id)
    async with stationer.press.database.view(stationer.tenant) as session:
        row = await repository.paper(session, paper.paper_id)
        link = await links.find(stationer.press.database, letter.pay_token)
    assert row is not None
    assert row.sheet["pay"]["address"] == f"{PUBLIC_URL}/pay/{letter.pay_token}"
    assert link.bill_id == bill_id
    assert (await stationer.sealed(paper)).startswith(b"%PDF-")
    assert (await standing(stationer, PaperKind.ARREARS_LETTER, letter.letter_id)).holds is Holds.CURRENT
    await counter.settle(await counter.start(amount_fen=100))
    assert (await standing(stationer, PaperKind.ARREARS_LETTER, letter.letter_id)).holds is Holds.CORRECTED
    await counter.settle(await counter.start())
    assert (await standing(stationer, PaperKind.ARREARS_LETTER, letter.letter_id)).holds is Holds.VOID
