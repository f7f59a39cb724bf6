"""A terminal's file that a person brings is compared with the slips that the cashier copied."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from cloud.kit.secretbox import SecretBox
from cloud.reconciliation import service, uploads
from cloud.reconciliation.matching import BreakClass
from cloud.reconciliation.uploads import UploadTasks
from common.errors import FaultsError, RefusalError
from tests.cloud.payments.counter import Counter
from tests.cloud.payments.test_collection import SLIP, add_terminal, shift_of, swipe
from tests.cloud.reconciliation.test_service import today

BOX = SecretBox(bytes(range(32)))
MERCHANT = "821290058110097"


def file_of(counter: Counter, fen: int) -> bytes:
    at = f"{today(counter).isoformat()} 09:00:00"
    yuan = f"{fen // 100}.{fen % 100:02d}"
    return (
        "商户号,终端号,批次号,凭证号,参考号,交易时间,交易类型,交易金额,手续费,清算金额\n"
        f"{MERCHANT},{SLIP.terminal},{SLIP.batch},{SLIP.voucher},{SLIP.reference},{at},消费,{yuan},0.00,{yuan}\n"
    ).encode()


async def bring(counter: Counter, account: UUID, raw: bytes, day: date) -> int:
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        return await uploads.bring(unit, BOX, account, day, raw)


async def compared(counter: Counter, account: UUID, raw: bytes) -> service.DayReport:
    counter.runner.handlers = {**counter.runner.handlers, uploads.READ: UploadTasks(BOX).read}
    day = today(counter)
    await bring(counter, account, raw, day)
    await counter.work()
    async with counter.database.view(counter.tenant) as session:
        return await service.day_report(session, account, day)


@pytest.mark.parametrize(("told_fen", "kinds"), [(4_000, []), (4_001, [BreakClass.AMOUNT_DIFFERS])])
async def test_the_acquirers_file_agrees_with_the_slip_to_the_fen(
    counter: Counter, told_fen: int, kinds: list[BreakClass]
) -> None:
    await counter.bill(0, 10_000)
    account = await add_terminal(counter)
    await swipe(counter, await shift_of(counter), 4_000)
    report = await compared(counter, account, file_of(counter, told_fen))
    assert [broken.kind for broken in report.breaks] == kinds


async def test_a_file_that_contradicts_itself_or_of_another_channel_is_refused(counter: Counter) -> None:
    await counter.bill(0, 10_000)
    account = await add_terminal(counter)
    with pytest.raises(FaultsError):
        await bring(counter, account, file_of(counter, 100).replace(b"0.00", b"0.01", 1), today(counter))
    with pytest.raises(RefusalError):
        await bring(counter, counter.account.merchant_account_id, file_of(counter, 100), today(counter))
