"""The WeChat Pay client against a channel written apart from it: every call, and every wrong the channel can do."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from cloud.payments.channel import Method
from cloud.payments.channels.bill import BillKind
from cloud.payments.channels.provider import (
    EmptyDay,
    NotReady,
    Order,
    OrderRef,
    OrderView,
    PlacedOrder,
    RefundOrder,
    RefundState,
    RefundView,
    Refused,
    TradeBill,
    TradeState,
    Unknown,
    UnknownReason,
)
from cloud.payments.channels.wechat.client import WeChatPay
from cloud.payments.channels.wechat.trade_bill import read_trade_bill
from tests.simulation.wechat.in_process import APP_ID, InProcessChannel
from tests.support.clock import SettableClock

MCHID = "1900000109"
NUMBER = "GH20260305AAAAAAAAAAAAA0"
START = datetime(2026, 3, 5, 4, 0, tzinfo=UTC)
REF = OrderRef(number=NUMBER, made_at=START)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(START)


@pytest_asyncio.fixture
async def channel(tmp_path: Path, clock: SettableClock) -> AsyncIterator[InProcessChannel]:
    opened = InProcessChannel(tmp_path / "wechat", clock.now)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def client(channel: InProcessChannel) -> WeChatPay:
    return await channel.client(MCHID)


def order(number: str = NUMBER, amount_fen: int = 12_345) -> Order:
    return Order(
        number=number,
        amount_fen=amount_fen,
        description="翠湖花园 1-2-301 物业费|2026*03",
        notify_url="http://house.test/pay/wechat/notify/abc",
        made_at=START,
        expires_at=START + timedelta(hours=2),
        method=Method.NATIVE,
    )


async def paid(client: WeChatPay, channel: InProcessChannel, number: str = NUMBER, fen: int = 12_345) -> str:
    placed = await client.place(order(number, fen))
    assert isinstance(placed, PlacedOrder)
    told = await channel.control("pay", code_url=placed.code_url, payer="oChild")
    return str(told["transaction_id"])


async def test_an_order_is_placed_paid_and_queried(client: WeChatPay, channel: InProcessChannel) -> None:
    placed = await client.place(order())
    assert isinstance(placed, PlacedOrder)
    assert await client.query(REF) == OrderView(
        merchant_number=MCHID, app_id=APP_ID, number=NUMBER, state=TradeState.NOT_PAID
    )
    told = await channel.control("pay", code_url=placed.code_url)
    assert await client.query(REF) == OrderView(
        merchant_number=MCHID,
        app_id=APP_ID,
        number=NUMBER,
        state=TradeState.PAID,
        transaction_id=told["transaction_id"],
        total_fen=12_345,
        currency="CNY",
        paid_at=START,
        sub_method="OTHERS",
    )


async def test_an_order_nobody_placed_is_refused(client: WeChatPay) -> None:
    assert await client.query(OrderRef(number="GH20260305NOBODYNOBODY00", made_at=START)) == Refused(
        code="ORDER_NOT_EXIST", detail="订单不存在"
    )


async def test_the_same_number_with_another_amount_is_refused(client: WeChatPay) -> None:
    await client.place(order())
    again = await client.place(order(amount_fen=12_346))
    assert isinstance(again, Refused)
    assert again.code == "OUT_TRADE_NO_USED"


async def test_a_closed_order_takes_no_money_and_a_paid_one_does_not_close(
    client: WeChatPay, channel: InProcessChannel
) -> None:
    placed = await client.place(order())
    assert isinstance(placed, PlacedOrder)
    assert await client.close(REF) is None
    assert (await channel.control("pay", code_url=placed.code_url))["refusal"] == "ORDER_CLOSED"
    await paid(client, channel, "GH20260305BBBBBBBBBBBBB0")
    refused = await client.close(OrderRef(number="GH20260305BBBBBBBBBBBBB0", made_at=START))
    assert isinstance(refused, Refused)
    assert refused.code == "ORDERPAID"


async def test_a_payment_begun_before_closing_may_succeed_after_it(
    client: WeChatPay, channel: InProcessChannel
) -> None:
    await client.place(order())
    await client.close(REF)
    await channel.control("pay", number=NUMBER, late=True)
    view = await client.query(REF)
    assert isinstance(view, OrderView)
    assert view.state is TradeState.PAID


@pytest.mark.parametrize(
    ("kind", "reason", "placed"),
    [
        ("server_error", UnknownReason.SERVER_ERROR, False),
        ("rate_limited", UnknownReason.RATE_LIMITED, False),
        ("commit_then_error", UnknownReason.SERVER_ERROR, True),
        ("unsigned", UnknownReason.FORGED, True),
        ("wrong_key", UnknownReason.FORGED, True),
    ],
)
async def test_what_is_not_proven_is_unknown_and_asking_tells(
    client: WeChatPay,
    channel: InProcessChannel,
    kind: str,
    reason: UnknownReason,
    placed: bool,  # noqa: FBT001 - a table column
) -> None:
    await channel.control("mischief", kind=kind, order=NUMBER)
    outcome = await client.place(order())
    assert isinstance(outcome, Unknown)
    assert outcome.reason is reason
    asked = await client.query(REF)
    assert isinstance(asked, OrderView if placed else Refused)


async def test_a_clock_six_minutes_off_is_refused_by_the_channel_and_four_are_not(
    client: WeChatPay, channel: InProcessChannel
) -> None:
    channel.client_skew_s = 240
    assert isinstance(await client.place(order()), PlacedOrder)
    channel.client_skew_s = 360
    outcome = await client.place(order())
    assert isinstance(outcome, Refused)
    assert outcome.code == "SIGN_ERROR"


async def test_answers_stay_believed_while_the_channel_rotates_its_key(
    client: WeChatPay, channel: InProcessChannel
) -> None:
    await client.place(order())
    await channel.control("rotate")
    assert isinstance(await client.query(REF), OrderView)
    renewed = await channel.client(MCHID)
    assert isinstance(await renewed.query(REF), OrderView)


async def test_a_refund_arrives_and_its_repetition_is_the_same_refund(
    client: WeChatPay, channel: InProcessChannel
) -> None:
    await paid(client, channel)
    wish = RefundOrder(
        order_number=NUMBER,
        transaction_id="",
        made_at=START,
        refund_number="RF20260305AAAAAAAAAAAAA0",
        amount_fen=45,
        order_total_fen=12_345,
        reason="多收退回",
        notify_url="http://house.test/r",
    )
    first = await client.refund(wish)
    assert isinstance(first, RefundView)
    assert (first.state, first.amount_fen) == (RefundState.SUCCESS, 45)
    assert await client.refund(wish) == first
    assert await client.query_refund(wish.ref) == first


async def test_a_refund_above_what_is_left_is_refused(client: WeChatPay, channel: InProcessChannel) -> None:
    await paid(client, channel, fen=100)
    for number, expected in (("RF20260305AAAAAAAAAAAAA0", RefundView), ("RF20260305BBBBBBBBBBBBB0", Refused)):
        wish = RefundOrder(
            order_number=NUMBER,
            transaction_id="",
            made_at=START,
            refund_number=number,
            amount_fen=60,
            order_total_fen=100,
            reason="x",
            notify_url="http://house.test/r",
        )
        assert isinstance(await client.refund(wish), expected)


async def test_the_trade_bill_is_the_channels_book(
    client: WeChatPay, channel: InProcessChannel, clock: SettableClock
) -> None:
    await paid(client, channel, fen=10_001)
    await paid(client, channel, "GH20260305BBBBBBBBBBBBB0", 20_002)
    wish = RefundOrder(
        order_number=NUMBER,
        transaction_id="",
        made_at=START,
        refund_number="RF20260305AAAAAAAAAAAAA0",
        amount_fen=1,
        order_total_fen=10_001,
        reason="x",
        notify_url="http://house.test/r",
    )
    await client.refund(wish)
    clock.advance(days=1)
    bill = await client.trade_bill(date(2026, 3, 5))
    assert isinstance(bill, TradeBill)
    content = read_trade_bill(bill.raw, MCHID)
    assert [(row.kind, row.order_number, row.amount_fen) for row in content.rows] == [
        (BillKind.PAYMENT, NUMBER, 10_001),
        (BillKind.PAYMENT, "GH20260305BBBBBBBBBBBBB0", 20_002),
        (BillKind.REFUND, NUMBER, 1),
    ]
    assert content.rows[0].at == START
    assert content.rows[2].refund_number == wish.refund_number
    assert content.summary.fee_fen == 60 + 120


async def test_an_empty_day_and_an_unfinished_bill_are_told_apart(client: WeChatPay, clock: SettableClock) -> None:
    clock.set(datetime(2026, 3, 6, 1, 0, tzinfo=UTC))
    assert await client.trade_bill(date(2026, 3, 5)) == NotReady(day=date(2026, 3, 5))
    clock.set(datetime(2026, 3, 6, 2, 0, tzinfo=UTC))
    assert await client.trade_bill(date(2026, 3, 5)) == EmptyDay(day=date(2026, 3, 5))


async def test_a_bill_from_another_host_is_never_fetched_and_a_wrong_digest_is_forged(
    client: WeChatPay, channel: InProcessChannel, clock: SettableClock
) -> None:
    await paid(client, channel)
    clock.advance(days=1)
    await channel.control("mischief", kind="bill_foreign_host")
    refused = await client.trade_bill(date(2026, 3, 5))
    assert isinstance(refused, Refused)
    assert refused.code == "FOREIGN_HOST"
    await channel.control("mischief", kind="bill_wrong_digest")
    forged = await client.trade_bill(date(2026, 3, 5))
    assert isinstance(forged, Unknown)
    assert forged.reason is UnknownReason.FORGED
    assert isinstance(await client.trade_bill(date(2026, 3, 5)), TradeBill)


async def test_the_channels_book_balances_after_payments_and_refunds(
    client: WeChatPay, channel: InProcessChannel
) -> None:
    await paid(client, channel, fen=10_000)
    told = await channel.control("book", mchid=MCHID)
    assert told["merchant_fen"] == 10_000 - 60
    assert [trade["state"] for trade in told["trades"]] == ["SUCCESS"]


async def test_a_request_altered_on_the_way_is_refused(client: WeChatPay, channel: InProcessChannel) -> None:
    prepared = client._prepare("POST", channel.http.base_url.join("/v3/pay/transactions/native"), b'{"a":1}')
    prepared.stream = type(prepared.stream)(b'{"a":2}')  # type: ignore[call-arg]
    answer = await channel.http.send(prepared)
    assert (answer.status_code, json.loads(answer.content)["code"]) == (401, "SIGN_ERROR")
