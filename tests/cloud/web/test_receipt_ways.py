"""A receipt and the reports say what stands behind a channel: e-CNY at Alipay, 云闪付 at UnionPay, in two languages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
import pytest_asyncio

from cloud.documents.printer import Printer
from cloud.insights import receipts
from cloud.payments.channel import Channel
from cloud.web.reports import way_of
from common.civil import Period
from tests.cloud.billing.conftest import Office
from tests.cloud.payments.halls import Hall, open_hall
from tests.cloud.web.front import Front, open_front, words_of


@pytest_asyncio.fixture
async def hall(office: Office, tmp_path: Path) -> AsyncIterator[Hall]:
    async with open_hall(office, tmp_path) as opened:
        await opened.counter.bill(0, 12_345)
        yield opened


@pytest_asyncio.fixture
async def house(hall: Hall, tmp_path: Path, printer: Printer) -> Front:
    return open_front(hall.counter, tmp_path, printer)


@pytest.mark.parametrize(
    ("channel", "payer", "zh", "en"),
    [
        (Channel.ALIPAY, "DCEP0001", "支付宝 · 数字人民币", "Alipay, e-CNY"),
        (Channel.ALIPAY, "2088000000000001", "支付宝", "Alipay"),
        (Channel.UNIONPAY, "6222", "银联 · 云闪付", "UnionPay, UnionPay app"),
    ],
)
async def test_the_way_of_a_payment_is_told_as_its_channel_told_it(
    hall: Hall, house: Front, channel: Channel, payer: str, zh: str, en: str
) -> None:
    counter = hall.counter
    await hall.settle(channel, await hall.start(channel), payer=payer)
    (payment,) = await counter.payments()
    async with house.resident() as browser:
        page = words_of(await browser.get(f"/receipts/{payment.payment_id}"))
    assert f"{zh} {en}" in page
    async with counter.database.view(counter.tenant) as session:
        year = Period(date(2026, 1, 1), date(2027, 1, 1))
        found = await receipts.money_moves(session, counter.office.site.community_id, year)
    assert {way_of(move)[0].rpartition(" · ")[0] for move in found} == {zh}
