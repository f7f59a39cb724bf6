"""What is Alipay's alone: a bill from a foreign host, a page's address, an answer that asks to slow down."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio

from cloud.payments.channel import Channel, Method
from cloud.payments.channels.provider import PlacedOrder, Refused
from tests.contract.benches import NUMBER, START, Bench, open_bench, ref
from tests.support.clock import SettableClock


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(START)


@pytest_asyncio.fixture
async def bench(tmp_path: Path, clock: SettableClock) -> AsyncIterator[Bench]:
    opened = await open_bench(Channel.ALIPAY, tmp_path, clock.now)
    yield opened
    await opened.simulator.close()


async def test_a_bill_from_another_host_is_never_fetched(bench: Bench, clock: SettableClock) -> None:
    await bench.paid()
    clock.advance(days=1)
    await bench.misbehave("bill_foreign_host")
    refused = await bench.client.trade_bill(date(2026, 3, 5))
    assert isinstance(refused, Refused)


async def test_a_page_is_an_address_that_carries_the_signed_order(bench: Bench) -> None:
    placed = await bench.client.place(bench.order(method=Method.WAP))
    assert isinstance(placed, PlacedOrder)
    told = parse_qs(urlsplit(placed.code_url).query)
    assert told["method"] == ["alipay.trade.wap.pay"]
    assert NUMBER in told["biz_content"][0]


async def test_an_order_that_nobody_scanned_is_closed_by_its_time(bench: Bench) -> None:
    assert await bench.client.close(ref()) is None
