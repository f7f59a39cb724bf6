"""`gatehouse trace` and `gatehouse ledger` find a document of any company of the house, and refuse what nobody has."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud.billing import service
from cloud.cli.ledger import audits
from cloud.cli.trace import find
from cloud.cli.trace.words import payment_words
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.errors import NotFoundError
from cloud.ledger.accounts import Book
from cloud.payments import desk
from cloud.payments.desk import CashReceipt
from cloud.payments.tracing import PaymentTrace
from cloud.payments.values import Payment
from cloud.tariffs.charge import FundClass
from common.ids import PaymentId, TenantId
from tests.cloud.billing.lakeside import Lakeside, bill_january, build_lakeside
from tests.support.api import running_services
from tests.support.clock import SettableClock


async def paid_in_cash(lake: Lakeside, fen: int) -> Payment:
    book = Book(community_id=lake.community_id, legal_entity_id=lake.entity_id, fund_class=FundClass.OPERATING)
    async with lake.database.unit(lake.tenant, lake.actor) as unit:
        (account,) = await service.accounts_of_premises(unit.session, [lake.flat])
        box = await desk.add_cash_box(unit, book, "desk")
        shift = await desk.open_shift(unit, box, opening_fen=0)
        receipt = CashReceipt(
            payment_id=PaymentId(unit.new_id()), account_id=account.account_id, tendered_fen=fen, amount_fen=fen
        )
        return await desk.record_cash(unit, shift.cash_shift_id, receipt)


async def test_a_bill_a_line_and_a_receipt_are_found_by_number(  # noqa: PLR0913, PLR0917 - fixtures
    database: Database,
    worker_database: Database,
    tenant: TenantId,
    other_tenant: TenantId,
    actor: Actor,
    clock: SettableClock,
    tmp_path: Path,
) -> None:
    assert other_tenant != tenant
    lake = await build_lakeside(database, tenant, actor, clock)
    number = await bill_january(lake, worker_database, clock)
    payment = await paid_in_cash(lake, 160_00)
    async with running_services(worker_database, tmp_path) as services:
        whole = await find(services, number)
        line = await find(services, f"{number}/1")
        receipt = await find(services, payment.number)
        with pytest.raises(NotFoundError):
            await find(services, f"{number}/2")
        ((name, report),) = await audits(services)
    assert whole == line
    assert isinstance(receipt, PaymentTrace)
    assert [(settled.fen, settled.line.number) for settled in receipt.settled] == [(155_00, number)]
    assert receipt.ahead_fen == 5_00
    printed = "\n".join(payment_words(receipt))
    assert "paid ahead 预存 5.00" in printed
    assert receipt.settled[0].line.registers[-1].batch is not None
    assert receipt.settled[0].line.registers[-1].batch.digest in printed
    assert name.startswith("LAKE")
    assert report.breaches == ()
