"""What is UnionPay's alone: no closing, a notification for another merchant, codes that decide nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from cloud.payments.channel import Channel, Method
from cloud.payments.channels.provider import PlacedOrder
from cloud.payments.channels.trust import Distrust, DistrustedError
from tests.contract.benches import NUMBER, START, Bench, open_bench, ref
from tests.support.clock import SettableClock


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    opened = await open_bench(Channel.UNIONPAY, tmp_path, SettableClock(START).now)
    yield opened
    await opened.simulator.close()


async def test_an_order_is_closed_by_its_own_time_limit(bench: Bench) -> None:
    assert await bench.client.close(ref()) is None


async def test_the_gateway_is_a_signed_form_for_the_payers_browser(bench: Bench) -> None:
    placed = await bench.client.place(bench.order(method=Method.GATEWAY))
    assert isinstance(placed, PlacedOrder)
    assert placed.code_url.endswith("/gateway/api/frontTransReq.do")
    assert placed.fields["orderId"] == NUMBER
    assert placed.fields["signature"]


async def test_a_true_notification_for_another_merchant_is_not_ours(bench: Bench) -> None:
    await bench.client.place(bench.order())
    await bench.misbehave("notify_wrong_merchant", order=NUMBER)
    await bench.pay()
    await bench.listen()
    refused = []
    for heard in bench.heard:
        try:
            bench.client.open_notification(heard.headers, heard.content)
        except DistrustedError as error:
            refused.append(error.reason)
    assert refused == [Distrust.OTHER_MERCHANT]


async def test_a_shown_code_that_is_no_bank_card_is_refused(bench: Bench) -> None:
    await bench.misbehave("code_refused")
    assert not isinstance(await bench.client.place(bench.shown()), PlacedOrder)
